"""A project of the same make as ours, but tiny and without network: its own pins, wheels and build backend."""

import os
import select
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.needs import ROOT

TOOLS = ("cat", "cksum", "dirname", "env", "id", "readlink", "sed", "sh")
PATIENCE_S = 120
"""How long an installation may take until something is certainly wrong."""
PYTHON = os.path.realpath(sys.executable)

BACKEND = '''
import os, zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(folder, config_settings=None, metadata_directory=None):
    if gate := os.environ.get("TINY_GATE"):
        open(gate + ".reached", "w").write("here")  # a pipe: waits for the test to read it
        open(gate + ".go").read()  # a pipe: waits for the test to let us go on
    name = "voice_ime-0.1.0-py3-none-any.whl"
    info = "voice_ime-0.1.0.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("tiny_app.py", "import sys\\ndef main(): print('dictating', sys.argv[1:])\\n")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: voice-ime\\nVersion: 0.1.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nvoice-ime = tiny_app:main\\n")
        wheel.writestr(info + "RECORD", "")
    return name
'''


def write_wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info/"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n")
        wheel.writestr(f"{info}METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}RECORD", "")


@dataclass
class TinyProject:
    """The folder of the project and the only commands that it can find."""

    root: Path
    """Has a blank in its name."""
    bin: Path
    """The whole PATH."""
    variables: dict[str, str] = field(default_factory=dict)
    """Added to the environment of each start."""

    def start(
        self, *arguments: str, cwd: Path | None = None, program: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Start ./dictate (or `program`) and wait until it ends."""
        return subprocess.run(
            [program or self.root / "dictate", *arguments], env=self.environment, cwd=cwd or self.root.parent,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start ./dictate in a group of its own and go on; its lines come from stdout."""
        return subprocess.Popen(
            [self.root / "dictate", *arguments], env=self.environment, cwd=self.root.parent, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        )  # fmt: skip

    @property
    def environment(self) -> Mapping[str, str]:
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        return {"PATH": str(self.bin), "LANG": "C.UTF-8", "HOME": str(self.root.parent), **pip, **self.variables}

    @property
    def wheels(self) -> Path:
        return self.root.parent / "wheels"

    def pin(self, *pins: str) -> None:
        (self.root / "requirements" / "dictate.txt").write_text("\n".join(("# pins", *pins, "")))

    def command(self, name: str, script: str) -> None:
        """Put a command into PATH."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def gate(self) -> "Gate":
        gate = Gate(self.root.parent / "gate")
        self.variables["TINY_GATE"] = str(gate.path)
        return gate

    def open_gate(self) -> None:
        del self.variables["TINY_GATE"]


class Gate:
    """Stops the installation in its midst."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(f"{path}.reached")
        os.mkfifo(f"{path}.go")

    def wait_until_reached(self) -> None:
        reached = os.open(f"{self.path}.reached", os.O_RDONLY | os.O_NONBLOCK)
        try:
            ready, _, _ = select.select([reached], [], [], PATIENCE_S)
            assert ready, "the installation did not come to the gate"
        finally:
            os.close(reached)

    def let_go_on(self) -> None:
        Path(f"{self.path}.go").write_text("go")


def kill(process: "subprocess.Popen[str]") -> None:
    """As if the power failed: the whole group at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def make(folder: Path) -> TinyProject:
    project = TinyProject(folder / "my voice", folder / "bin")
    _copy_sources(project.root)
    (project.root / "requirements").mkdir()
    (project.root / "requirements" / "build.txt").write_text("")
    (project.root / "backend.py").write_text(BACKEND)
    (project.root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    project.wheels.mkdir()
    for version in ("1.0", "2.0"):
        write_wheel(project.wheels, "pinned", version)
    project.pin("pinned==1.0")
    project.bin.mkdir()
    for tool in TOOLS:
        (project.bin / tool).symlink_to(shutil.which(tool) or tool)
    project.command("python3", f'exec "{PYTHON}" "$@"')
    return project


def _copy_sources(root: Path) -> None:
    (root / "voice_ime").mkdir(parents=True)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=ignore)
    shutil.copytree(ROOT / "voice_ime" / "messages", root / "voice_ime" / "messages", ignore=ignore)
    for name in ("voice_ime/__init__.py", "voice_ime/errors.py", "dictate"):
        shutil.copy(ROOT / name, root / name)
