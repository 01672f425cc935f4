"""Writes requirements/*.txt anew: the newest version of everything that has wheels. Needs uv (pip install uv).

    .venv/bin/python -m scripts.update_pins

Afterwards: scripts.check_pins and ./check.
"""

import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations

from packaging.requirements import Requirement

from scripts.check_pins import MACHINES, PYTHONS, TARGETS, version
from scripts.setup import ROOT

BUILD = "hatchling\neditables\n"
UV = ("uv", "pip", "compile", "-q", "--universal", "--python-version", PYTHONS[0], "--no-header", "--no-annotate")


def simple_markers() -> list[str]:
    """The markers that we can read, shortest first."""
    machines = [f"platform_machine == '{machine}'" for machine in MACHINES]
    without = [
        " and ".join(f"python_version != '{python}'" for python in pythons)
        for count in range(1, len(PYTHONS))
        for pythons in combinations(PYTHONS, count)
    ]
    return ["", *machines, *without, *(f"{a} and {b}" for a in machines for b in without)]


def short(line: str) -> str:
    """The same pin with the simplest marker that holds for the same Pythons and processors."""
    pin = Requirement(line)
    for marker in simple_markers():
        shorter = f"{pin.name}=={version(pin)}" + (f" ; {marker}" if marker else "")
        if all(target.needs(Requirement(shorter)) == target.needs(pin) for target in TARGETS):
            return shorter
    return line


def compile_pins(name: str, comment: str, arguments: Sequence[str], given: str = "") -> None:
    """Resolve `arguments` (uv's; `given` is its standard input) and write requirements/`name`.txt."""
    command = [*UV, "--upgrade", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=given, stdout=subprocess.PIPE, text=True, check=True)
    lines = [short(line) for line in done.stdout.splitlines() if line.strip()]
    text = "\n".join((f"# {comment} Written by scripts/update_pins.py.", *lines, ""))
    (ROOT / "requirements" / f"{name}.txt").write_text(text, "utf-8")


def main() -> int:
    run = ("pyproject.toml", "--extra=server", "--extra=desktop")
    compile_pins("dictate", "What ./dictate installs.", run)
    every = ("pyproject.toml", "--all-extras", "-c", "requirements/dictate.txt")
    compile_pins("check", "What ./check installs: the same, and what tests and benchmarks need.", every)
    compile_pins("build", "What builds the project itself.", ("-", "-c", "requirements/check.txt"), BUILD)
    return 0


if __name__ == "__main__":
    sys.exit(main())
