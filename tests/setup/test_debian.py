"""Debian packages are installed where this user may, and otherwise only named."""

import re
from pathlib import Path

import pytest

from scripts import debian
from scripts.check import TESTS_NEED, get_packages, missing_packages
from tests.needs import ROOT
from voice_ime.messages import Messages

ON_EVERY_DEBIAN = ("bsdutils",)
ROOT_USER, OTHER_USER = 0, 1000
TWO = {"pulseaudio": "pulseaudio", "pulseaudio-utils": "pactl"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command(folder, "env", 'shift; exec "$@"')
    return folder


def command(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def environment(path: Path) -> dict[str, str]:
    return {"PATH": str(path)}


def test_root_needs_nothing_before_its_commands(path: Path):
    assert debian.as_root(ROOT_USER, environment(path)) == []


def test_sudo_is_used_only_where_it_asks_for_no_password(path: Path):
    command(path, "sudo", "exit 1")
    assert debian.as_root(OTHER_USER, environment(path)) is None

    command(path, "sudo", "exit 0")
    assert debian.as_root(OTHER_USER, environment(path)) == [str(path / "sudo"), "-n"]


def test_without_sudo_another_user_may_not_install(path: Path):
    assert debian.as_root(OTHER_USER, environment(path)) is None


def test_an_installation_asks_for_the_list_first_and_takes_no_more_than_needed(path: Path, tmp_path: Path):
    command(path, "apt-get", f'echo "$@" >> "{tmp_path}/calls"')

    assert debian.install(["one", "two"], ROOT_USER, environment(path), tmp_path / "log")

    update, install = (tmp_path / "calls").read_text().splitlines()
    assert update.endswith(" update")
    assert install.endswith(" install -y --no-install-recommends one two")


def test_a_failed_installation_is_no_success(path: Path, tmp_path: Path):
    command(path, "apt-get", "echo no such package; exit 100")

    assert not debian.install(["nonesuch"], ROOT_USER, environment(path), tmp_path / "log")
    assert "no such package" in (tmp_path / "log").read_text()


def test_only_what_is_missing_is_missing(path: Path):
    command(path, "pactl", "exit 0")

    missing = missing_packages(environment(path), {"pulseaudio": "pulseaudio", "pulseaudio-utils": "pactl"})

    assert missing == ["pulseaudio"]


def test_a_package_without_a_program_is_seen_by_one_of_its_files(path: Path, tmp_path: Path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "here.so").touch()

    missing = missing_packages(environment(path), {"one": f"{tmp_path}/*/here.so", "two": f"{tmp_path}/*/there.so"})

    assert missing == ["two"]


def test_packages_that_may_not_be_installed_are_named_with_the_command(path: Path):
    command(path, "apt-get", "exit 0")
    said: list[str] = []

    get_packages(OTHER_USER, environment(path), Messages("en"), said.append, TWO)

    assert said == [
        "These Debian packages are missing, and tests that need them are skipped: pulseaudio, pulseaudio-utils. "
        "To install them, type: sudo apt install pulseaudio pulseaudio-utils"
    ]


def test_whatever_a_test_may_lack_is_installed_by_check():
    sources = [file.read_text("utf-8") for file in (ROOT / "tests").rglob("*.py") if file.parent.name != "setup"]
    asked = {name for source in sources for name in re.findall(r'needs_debian\(\s*"([^"]+)"', source)}

    assert asked <= {*TESTS_NEED, *ON_EVERY_DEBIAN}
