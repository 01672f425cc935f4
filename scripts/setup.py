"""Makes `.venv` beside the project: the pinned packages and the project itself. Started by scripts/start.sh.

Uses the standard library only: it runs before anything is installed. Each line it prints is heard by itself, so each is
short and says something new. Everything that pip and apt-get say goes to `.venv/setup.log`.

`.venv/voice-ime-setup` is the stamp: what was installed, the fingerprint of the pins, the place, the Python. While work
is under way it says "unfinished", so what was interrupted is begun anew.
"""

import argparse
import fcntl
import os
import platform
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from scripts import debian
from scripts.pip_progress import Progress, follow
from voice_ime.messages import Messages, language_of_locale

ROOT = Path(__file__).resolve().parents[1]
UNFINISHED = "unfinished"
ROOM_MB = 1000
"""Free space that an installation needs: the packages, and the largest of them a second time while it is unpacked."""
OLDEST_GLIBC = {"x86_64": (2, 34), "aarch64": (2, 31)}
"""Per processor, what the wheel of moonshine-voice asks for; every other pin asks for less."""


class SetupFailed(Exception):
    """Setting up cannot go on; the text is the sentence that says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """What is to be made."""

    wanted: str
    """"dictate" or "check": the name of the requirements file."""
    fingerprint: str
    """Of the pins, as scripts/start.sh computes it."""
    python: str
    """Command of the Python to make the environment with."""
    user: int
    """Number of the user; 0 may install Debian packages."""
    root: Path = ROOT

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def venv_python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.venv / "voice-ime-setup"

    @property
    def log(self) -> Path:
        return self.venv / "setup.log"

    @property
    def finished(self) -> str:
        """What the stamp says when this plan is done."""
        return "\n".join((self.wanted, self.fingerprint, str(self.root), os.path.realpath(self.venv_python), ""))

    @property
    def done(self) -> bool:
        also = self.finished.replace(self.wanted, "check", 1)
        return _read(self.stamp) in (self.finished, also) and self.venv_python.exists()


class Setup:
    """Carries out one plan, saying what it does."""

    def __init__(
        self, plan: Plan, messages: Messages, environment: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._messages = messages
        self._environment = dict(environment) | {"PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
        self._say = say

    def run(self) -> None:
        """Wait for our turn and do what is still to be done. Raises SetupFailed."""
        with _open_lock(self._plan.root, self._text("not_writable", folder=self._plan.root)) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(self._text("waiting"))
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._plan.done:
                self._work(lock.fileno())

    def _work(self, lock: int) -> None:
        started = time.monotonic()
        self._check_system()
        self._say(self._text("starting", python=platform.python_version()))
        if not self._can_be_kept():
            self._make_venv()
        self._plan.stamp.write_text(f"{UNFINISHED}\n", "utf-8")
        self._install_packages(lock)
        self._install_project(lock)
        _replace(self._plan.stamp, self._plan.finished)
        self._say(self._text("finished", seconds=round(time.monotonic() - started)))

    def _check_system(self) -> None:
        if problem := system_problem(platform.machine(), _glibc(), struct.calcsize("P") * 8):
            raise SetupFailed(self._text(problem, machine=platform.machine(), glibc=".".join(map(str, _glibc()))))
        free_mb = shutil.disk_usage(self._plan.root).free // 1_000_000
        if not self._plan.venv_python.exists() and free_mb < ROOM_MB:
            raise SetupFailed(self._text("no_room", needed=ROOM_MB, free=free_mb))

    def _can_be_kept(self) -> bool:
        """Whether the environment that is there can be brought up to date: whole, at its place, its Python still there.

        One without a stamp was made by hand; it is kept too.
        """
        stamp = _read(self._plan.stamp)
        if stamp is not None and stamp.splitlines()[2:] != self._plan.finished.splitlines()[2:]:
            return False
        return self._succeeds([str(self._plan.venv_python), "-c", "import pip"])

    def _make_venv(self) -> None:
        python = _outside(self._plan.venv, self._plan.python, self._environment)
        _remove(self._plan.venv)
        self._plan.venv.mkdir()
        self._plan.stamp.write_text(f"{UNFINISHED}\n", "utf-8")
        if not self._succeeds([python, "-c", "import ensurepip"]):
            self._install_venv_module(python)
        if not self._succeeds([python, "-m", "venv", str(self._plan.venv)]):
            raise SetupFailed(self._text("no_venv", log=self._plan.log))

    def _install_venv_module(self, python: str) -> None:
        packages = [f"{Path(python).name}-venv"]
        if not debian.has_apt(self._environment):
            raise SetupFailed(self._text("no_venv_module"))
        refused = SetupFailed(self._text("type_venv_command", command=debian.command(packages)))
        if not debian.may_install(self._plan.user, self._environment):
            raise refused
        self._say(self._text("installing_debian", packages=packages[0]))
        if not debian.install(packages, self._plan.user, self._environment, self._plan.log):
            raise refused

    def _install_packages(self, lock: int) -> None:
        files = [self._plan.root / "requirements" / f"{name}.txt" for name in (self._plan.wanted, "build")]
        count = len({line for file in files for line in file.read_text("utf-8").splitlines() if "==" in line})
        self._say(self._text("packages", count=count))
        arguments = [argument for file in files for argument in ("-r", str(file))]
        self._pip(["--only-binary=:all:", *arguments], Progress(count, self._text), lock)

    def _install_project(self, lock: int) -> None:
        self._pip(["--no-build-isolation", "-e", str(self._plan.root)], Progress(0, self._text), lock)

    def _pip(self, arguments: list[str], progress: Progress, lock: int) -> None:
        quiet = ["--no-deps", "--no-input", "--disable-pip-version-check", "--progress-bar=off", "--no-color"]
        command = [str(self._plan.venv_python), "-m", "pip", "install", *quiet, *arguments]
        with self._plan.log.open("a", encoding="utf-8") as log:
            # pip keeps the lock too: should we be killed, the next start waits until pip has ended.
            process = subprocess.Popen(
                command, env=self._environment, cwd=self._plan.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, pass_fds=(lock,), text=True, encoding="utf-8", errors="replace",
            )  # fmt: skip
            with process:
                follow(process, progress, self._say, log)
        if process.returncode:
            raise SetupFailed(self._text(progress.reason, log=self._plan.log))

    def _succeeds(self, command: list[str]) -> bool:
        try:
            with self._plan.log.open("ab") as log:
                done = subprocess.run(
                    command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
                )
        except OSError:
            return False
        return done.returncode == 0

    def _text(self, key: str, **values: object) -> str:
        return self._messages(f"setup.{key}", **values)


def system_problem(machine: str, glibc: tuple[int, int], bits: int) -> str | None:
    """Key of the sentence that says why this system cannot run the product, or None.

    `machine` as `platform.machine()` names it; `glibc` (0, 0) for another C library; `bits` of a pointer.
    """
    if machine not in OLDEST_GLIBC or bits != 64:
        return "wrong_machine"
    if glibc == (0, 0):
        return "no_glibc"
    if glibc < OLDEST_GLIBC[machine]:
        return "old_system"
    return None


def _glibc() -> tuple[int, int]:
    try:
        name, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
        major, minor = version.split(".")[:2]
    except (ValueError, OSError):
        return (0, 0)
    return (int(major), int(minor)) if name == "glibc" else (0, 0)


def _outside(venv: Path, python: str, environment: Mapping[str, str]) -> str:
    """`python`, or where that is the one inside the environment to be replaced, the one which that was made from."""
    found = shutil.which(python, path=environment.get("PATH"))
    if found and Path(found).parent == venv / "bin":
        return os.path.realpath(found)
    return python


def _open_lock(root: Path, sentence: str) -> TextIO:
    try:
        return (root / ".setup.lock").open("a")
    except OSError as error:
        raise SetupFailed(sentence) from error


def _remove(folder: Path) -> None:
    """Take a folder away; named otherwise first, so that what is left of it can never be taken for a whole one."""
    old = folder.with_name(f"{folder.name}-old")
    if old.is_dir():
        shutil.rmtree(old)
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        folder.rename(old)
        shutil.rmtree(old)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(path)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("wanted", choices=["dictate", "check"])
    parser.add_argument("--fingerprint", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--user", type=int, required=True)
    plan = Plan(**vars(parser.parse_args()))
    environment = dict(os.environ)
    messages = Messages(language_of_locale(environment))
    sys.stdout.reconfigure(errors="replace", line_buffering=True)  # type: ignore[union-attr]
    try:
        Setup(plan, messages, environment, print).run()
    except SetupFailed as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(messages("setup.os_error", detail=error.strerror or error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(messages("setup.stopped"), file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
