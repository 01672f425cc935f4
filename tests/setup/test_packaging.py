"""The wheel that people install: the server with one extra, a thin client with another."""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import ROOT, needs_package

pytestmark = pytest.mark.slow
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def run(*command: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command away from the sources, so that only what was installed can be found."""
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Taken away at the end: the environments are large."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    needs_package("hatchling")
    needs_package("editables")
    target = folder / "wheel"
    done = run(
        sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", target, ROOT, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    (built,) = target.iterdir()
    return built


def installed(folder: Path, wheel: Path, extra: str) -> Path:
    """A new environment with the wheel and one extra; the folder of its programs."""
    place = folder / extra
    venv.create(place, with_pip=True, symlinks=True)
    pins = ("-c", ROOT / "requirements" / "dictate.txt", "--only-binary=:all:")
    done = run(place / "bin" / "pip", "install", "-q", *pins, f"{wheel}[{extra}]", cwd=folder)
    if "Failed to establish a new connection" in done.stderr or "name resolution" in done.stderr:
        pytest.skip("needs a network that reaches the package index")
    assert done.returncode == 0, done.stderr
    return place / "bin"


@pytest.fixture(scope="module")
def server(folder: Path, wheel: Path) -> Iterator[Path]:
    yield installed(folder, wheel, "server")
    shutil.rmtree(folder / "server")


@pytest.fixture(scope="module")
def desktop(folder: Path, wheel: Path) -> Iterator[Path]:
    yield installed(folder, wheel, "desktop")
    shutil.rmtree(folder / "desktop")


def test_the_wheel_holds_the_sentences_the_licence_and_no_tests(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert {"voice_ime/messages/en.toml", "voice_ime/messages/zh.toml"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"voice_ime", "voice_ime_desktop"}


def test_the_installed_server_transcribes_a_file(server: Path, folder: Path):
    code = "import importlib.util as u; print(*u.find_spec('moonshine_voice').submodule_search_locations)"
    assets = Path(run(server / "python", "-c", code, cwd=folder).stdout.strip()) / "assets"
    sound = next(assets.rglob("two_cities.wav"))

    done = run(server / "voice-ime", "transcribe", sound, cwd=folder)

    assert done.returncode == 0, done.stderr
    assert "best of times" in done.stdout.lower()


def test_the_installed_desktop_has_neither_engine_nor_server(desktop: Path, folder: Path):
    code = (
        "import importlib.util as u, voice_ime, voice_ime.client, voice_ime_desktop\n"
        "print([name for name in ('onnxruntime', 'fastapi', 'numpy', 'av') if u.find_spec(name)])"
    )

    done = run(desktop / "python", "-c", code, cwd=folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_the_installed_desktop_knows_its_version_and_its_help(desktop: Path, folder: Path):
    assert run(desktop / "voice-ime", "--version", cwd=folder).stdout.startswith("voice-ime ")
    assert run(desktop / "voice-ime", "--help", cwd=folder).returncode == 0
