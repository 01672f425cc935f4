"""Debian packages: which are missing, and installing them where this user may."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

Environment = Mapping[str, str]


def as_root(user: int, environment: Environment) -> list[str] | None:
    """What to put before a command to run it as root: nothing, sudo without a password, or None where neither may."""
    if user == 0:
        return []
    sudo = shutil.which("sudo", path=environment.get("PATH"))
    if sudo and _succeeds([sudo, "-n", "true"], environment):
        return [sudo, "-n"]
    return None


def install(packages: Sequence[str], user: int, environment: Environment, log: Path) -> bool:
    """Install Debian packages; False where that is not allowed, there is no apt-get, or it failed (see `log`)."""
    root = as_root(user, environment)
    if root is None or not has_apt(environment):
        return False
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
    get = [*apt, "install", "-y", "--no-install-recommends", *packages]
    with log.open("ab") as output:
        _succeeds([*apt, "update"], environment, output.fileno())  # a stale list may still do
        return _succeeds(get, environment, output.fileno())


def may_install(user: int, environment: Environment) -> bool:
    """Whether this user may install packages here without being asked for a password."""
    return has_apt(environment) and as_root(user, environment) is not None


def has_apt(environment: Environment) -> bool:
    return shutil.which("apt-get", path=environment.get("PATH")) is not None


def command(packages: Sequence[str]) -> str:
    """What a person would type."""
    return f"sudo apt install {' '.join(packages)}"


def _succeeds(command: Sequence[str], environment: Environment, output: int = subprocess.DEVNULL) -> bool:
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
    )
    return done.returncode == 0
