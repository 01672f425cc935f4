"""Runs every check: Debian packages for the tests, ruff, mypy, pytest; one closing line. Started by ./check."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scripts import debian
from voice_ime.messages import Messages, language_of_locale

ROOT = Path(__file__).resolve().parents[1]
LOG = ROOT / ".venv" / "setup.log"
TESTS_NEED = {
    "at-spi2-core": "/usr/libexec/at-spi-bus-launcher",
    "chromium": "chromium",
    "dbus-daemon": "dbus-daemon",
    "fonts-dejavu-core": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "gir1.2-gtk-3.0": "/usr/lib/*/girepository-1.0/Gtk-3.0.typelib",
    "gir1.2-gtk-4.0": "/usr/lib/*/girepository-1.0/Gtk-4.0.typelib",
    "gir1.2-vte-2.91": "/usr/lib/*/girepository-1.0/Vte-2.91.typelib",
    "ibus": "ibus-daemon",
    "ibus-gtk3": "/usr/lib/*/gtk-3.0/*/immodules/im-ibus.so",
    "ibus-gtk4": "/usr/lib/*/gtk-4.0/*/immodules/libim-ibus.so",
    "openbox": "openbox",
    "orca": "orca",
    "pulseaudio": "pulseaudio",
    "pulseaudio-utils": "pactl",
    "python3-gi": "/usr/lib/python3/dist-packages/gi/__init__.py",
    "python3-pyqt5": "/usr/lib/python3/dist-packages/PyQt5/QtWidgets*.so",
    "python3-tk": "/usr/lib/python3*/tkinter/__init__.py",
    "speech-dispatcher": "speech-dispatcher",
    "tmux": "tmux",
    "x11-utils": "xprop",
    "xterm": "xterm",
    "xvfb": "Xvfb",
}
"""Debian package -> the program in PATH, or the pattern of a file, that shows that it is there."""


WAITING = "tests/desktop"
"""What these test plays sound and waits for programs: most of the time it leaves the processor to others."""
NO_SKIPS = "--no-skips"


@dataclass(frozen=True)
class Check:
    name: str
    command: tuple[str, ...]
    beside: "Check | None" = None
    """Runs at the same time; what it writes comes after the rest."""


def checks(pytest_arguments: Sequence[str], cores: int) -> tuple[Check, ...]:
    """Where all tests are asked for and there are two processors, those that wait run beside the others."""
    python = (sys.executable, "-m")
    pytest = (*python, "pytest", *pytest_arguments)
    tests = Check("pytest", pytest)
    if cores > 1 and set(pytest_arguments) <= {NO_SKIPS}:
        others = Check("pytest", (*pytest, "tests", f"--ignore={WAITING}"))
        tests = Check("pytest", (*pytest, WAITING), beside=others)
    return (Check("ruff", (*python, "ruff", "check", ".")), Check("mypy", (*python, "mypy")), tests)


def missing_packages(environment: Mapping[str, str], needed: Mapping[str, str] = TESTS_NEED) -> list[str]:
    """The Debian packages of which the sign is not to be seen."""
    return [package for package, sign in needed.items() if not is_there(sign, environment.get("PATH"))]


def is_there(sign: str, path: str | None) -> bool:
    """Whether a value of `TESTS_NEED` is found, a program in the folders of `path`."""
    if sign.startswith("/"):
        return any(Path("/").glob(sign[1:]))
    return shutil.which(sign, path=path) is not None


def get_packages(
    user: int,
    environment: Mapping[str, str],
    messages: Messages,
    say: Callable[[str], None],
    needed: Mapping[str, str] = TESTS_NEED,
) -> None:
    """Install the Debian packages that the tests need, or name them."""
    missing = missing_packages(environment, needed)
    if not missing:
        return
    if debian.may_install(user, environment):
        say(messages("check.installing", packages=", ".join(missing)))
        debian.install(missing, user, environment, LOG)
    if missing := missing_packages(environment, needed):
        say(messages("check.missing", packages=", ".join(missing), command=debian.command(missing)))


def run(check: Check, environment: Mapping[str, str]) -> tuple[bool, str]:
    """Run one check, its output going straight through; whether it passed, and the last line it wrote."""
    if check.beside is not None:
        return run_both(check, check.beside, environment)
    with start(check, environment, subprocess.PIPE) as process:
        assert process.stdout is not None
        said = last_line(pass_on(process.stdout.fileno()))
    return process.returncode == 0, said


def run_both(check: Check, beside: Check, environment: Mapping[str, str]) -> tuple[bool, str]:
    with tempfile.TemporaryFile() as written, start(beside, environment, written.fileno()) as process:
        passed, said = run(replace(check, beside=None), environment)
        process.wait()
        os.lseek(written.fileno(), 0, os.SEEK_SET)
        said = f"{said}; {last_line(pass_on(written.fileno()))}"
    return passed and process.returncode == 0, said


def start(check: Check, environment: Mapping[str, str], out: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(check.command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)


def pass_on(file: int) -> str:
    """Write all that comes from `file`; the end of it."""
    tail = b""
    while block := os.read(file, 4096):
        sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        tail = (tail + block)[-4096:]
    return tail.decode("utf-8", "replace")


def last_line(text: str) -> str:
    """The last line that is not blank, without the signs that frame it."""
    lines = [line.strip("= ") for line in text.splitlines() if line.strip("= ")]
    return lines[-1] if lines else ""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--user", type=int, required=True)
    parser.add_argument("pytest_arguments", nargs="*")
    arguments = parser.parse_args()
    environment = dict(os.environ)
    messages = Messages(language_of_locale(environment))
    sys.stdout.reconfigure(errors="replace", line_buffering=True)  # type: ignore[union-attr]
    get_packages(arguments.user, environment, messages, print)
    failed, said = [], ""
    every = checks(arguments.pytest_arguments, len(os.sched_getaffinity(0)))
    for check in every:
        print(messages("check.running", name=check.name))
        passed, said = run(check, environment)
        if not passed:
            failed.append(check.name)
    key = "check.failed" if failed else "check.passed"
    print(messages(key, names=", ".join(failed or [check.name for check in every]), tests=said))
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
