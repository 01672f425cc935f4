# Sourced by ./dictate and ./check, which set $here to the folder of the project. POSIX sh.
# When everything is in place this costs a few small processes and no Python; otherwise scripts/setup.py does the work.

# sentence KEY: one sentence of [setup] in the person's language; for the time before there is a Python to ask.
sentence() {
    case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
        [zZ][hH]*) language=zh ;;
        *) language=en ;;
    esac
    sed -n "/^\[setup\]/,/^\[/s/^$1 = \"\(.*\)\"\$/\1/p" "$here/voice_ime/messages/$language.toml"
}

# What the environment is made from: when it changes, the next start installs anew.
fingerprint() {
    cat "$here"/requirements/*.txt "$here/pyproject.toml" | cksum
}

# up_to_date WANTED: whether .venv was finished, for these pins, at this place, with the Python that is still there.
# The stamp has a line each for what was installed, the fingerprint, the place and the Python (see scripts/setup.py).
up_to_date() {
    [ -x "$here/.venv/bin/voice-ime" ] && [ -x "$here/.venv/bin/python" ] && [ -r "$here/.venv/voice-ime-setup" ] || return 1
    { IFS= read -r what && IFS= read -r files && IFS= read -r place && IFS= read -r base; } < "$here/.venv/voice-ime-setup" \
        || return 1
    [ "$what" = "$1" ] || [ "$what" = check ] || return 1
    [ "$files" = "$(fingerprint)" ] && [ "$place" = "$here" ] && [ "$base" = "$(readlink -f "$here/.venv/bin/python")" ]
}

# find_python: sets $python to a command that is Python 3.11, 3.12 or 3.13.
find_python() {
    for python in python3 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2> /dev/null; then
            return 0
        fi
    done
    sentence no_python >&2
    return 1
}

# set_up WANTED: makes .venv hold what "dictate" or "check" needs.
set_up() {
    up_to_date "$1" && return 0
    # Another project's modules must not be found instead of ours.
    unset PYTHONPATH PYTHONHOME
    find_python || return 1
    (cd "$here" && "$python" -m scripts.setup "$1" --fingerprint "$(fingerprint)" --python "$python" --user "$(id -u)")
}
