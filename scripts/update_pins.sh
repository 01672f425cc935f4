#!/bin/sh
# Writes requirements/*.txt anew: the newest version of everything that has wheels. Needs uv (pip install uv).
# Afterwards: scripts/check_pins.py, ./check.
set -eu
cd -- "$(dirname -- "$0")/.."

# Every pin is for one of the environments of [tool.uv] in pyproject.toml, so a marker need only tell the processors apart.
short_markers() {
    sed -e "/ ; .*'aarch64'.*'x86_64'/s/ ; .*//" -e "s/ ; .*\(platform_machine == '[a-z0-9_]*'\).*/ ; \1/"
}

compile() { # compile FILE COMMENT INPUT...
    target=requirements/$1
    comment=$2
    shift 2
    uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate --upgrade "$@" -o "$target.new"
    { echo "# $comment Written by scripts/update_pins.sh."; short_markers < "$target.new"; } > "$target"
    rm "$target.new"
}

compile dictate.txt "What ./dictate installs." pyproject.toml --extra server --extra desktop
compile check.txt "What ./check installs: the same, and what tests and benchmarks need." \
    pyproject.toml --all-extras -c requirements/dictate.txt
printf 'hatchling\neditables\n' | compile build.txt "What builds the project itself." - -c requirements/check.txt
