"""What a test may lack. Each function returns when it is there and otherwise skips the test, saying what is missing.

A reason that starts with one of `INSTALLABLE` names something that could be installed: `./check` installs it where it
may, and under `--no-skips` such a skip is a failure. Every other reason (no recordings beside this checkout, another
processor) is nobody's fault and stays a skip.
"""

import importlib.util
import shutil
from pathlib import Path

import pytest

DEBIAN = "needs Debian package"
PYTHON = "needs package"
INSTALLABLE = (DEBIAN, PYTHON, "could not import")

ROOT = Path(__file__).resolve().parents[1]


def needs_debian(package: str, *programs: str) -> None:
    """Skip unless every one of `programs` (default: the package's name) is in PATH."""
    if not all(shutil.which(program) for program in programs or (package,)):
        pytest.skip(f"{DEBIAN} {package}", allow_module_level=True)


def needs_package(package: str, module: str | None = None) -> None:
    """Skip unless the Python package can be imported; `module` where its import name is another."""
    if importlib.util.find_spec(module or package.replace("-", "_")) is None:
        pytest.skip(f"{PYTHON} {package}", allow_module_level=True)


def shared(*parts: str) -> Path:
    """A file or folder under ../shared, which is beside the project's own checkouts only; skip where it is absent."""
    path = ROOT.parent.joinpath("shared", *parts)
    if not path.exists():
        pytest.skip(f"needs ../shared/{'/'.join(parts)}, which is not beside this checkout", allow_module_level=True)
    return path


def may_be_installed(reason: str) -> bool:
    """Whether a skip with this reason is for want of something that could have been installed."""
    return reason.removeprefix("Skipped: ").startswith(INSTALLABLE)
