"""Proves that requirements/*.txt hold for every Python and processor we promise. Needs the network.

    .venv/bin/python -m scripts.check_pins

For each of Python 3.11 to 3.13 and Linux on x86_64 and aarch64, pip is asked for a wheel of every pin that the oldest
system we promise can load (so no compiler is ever needed), and what each wheel says it needs must be pinned in a
version that satisfies it. Also: one version of each package in all files; the build backend of pyproject.toml is the
pinned one.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.setup import OLDEST_GLIBC, ROOT

PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = tuple(OLDEST_GLIBC)
FILES = tuple(sorted((ROOT / "requirements").glob("*.txt")))


@dataclass(frozen=True)
class Target:
    """A Python on a kind of machine."""

    python: str
    machine: str

    @property
    def environment(self) -> dict[str, str]:
        """What the markers of requirements see there."""
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "platform_machine": self.machine,
            "sys_platform": "linux",
            "platform_system": "Linux",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }

    @property
    def platforms(self) -> list[str]:
        """Every tag that the oldest system of this kind can load."""
        newest = OLDEST_GLIBC[self.machine][1]
        names = [f"manylinux_2_{minor}" for minor in range(newest, 4, -1)]
        return [f"{name}_{self.machine}" for name in (*names, "manylinux2014", "manylinux2010", "manylinux1")]

    def needs(self, requirement: Requirement, extras: Iterable[str] = ()) -> bool:
        marker = requirement.marker
        return marker is None or any(marker.evaluate(self.environment | {"extra": extra}) for extra in ("", *extras))


TARGETS = tuple(Target(python, machine) for python in PYTHONS for machine in MACHINES)


def pins(file: Path) -> Iterator[Requirement]:
    for line in file.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield Requirement(line)


def version(pin: Requirement) -> str:
    """The one version that a pin allows. Raises ValueError where it is no pin."""
    (specifier,) = pin.specifier
    if specifier.operator != "==" or "*" in specifier.version or pin.url:
        raise ValueError(f"{pin} is no pin")
    return specifier.version


def pinned(target: Target, files: Iterable[Path] = FILES) -> dict[str, str]:
    """Name -> version of all pins that hold for the target. Raises ValueError where two files differ."""
    versions: dict[str, str] = {}
    for pin in (pin for file in files for pin in pins(file) if target.needs(pin)):
        name = canonicalize_name(pin.name)
        if versions.setdefault(name, version(pin)) != version(pin):
            raise ValueError(f"{name} is pinned twice: {versions[name]} and {version(pin)}")
    return versions


def roots() -> list[Requirement]:
    """What the project itself asks for, with all extras, and to be built."""
    tables: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras: dict[str, list[str]] = tables["project"]["optional-dependencies"]
    lines = [*tables["project"]["dependencies"], *tables["build-system"]["requires"]]
    return [Requirement(line) for line in (*lines, *(line for extra in extras.values() for line in extra))]


def not_satisfied(needed: Iterable[Requirement], versions: dict[str, str], target: Target) -> list[str]:
    """The requirements that no pin satisfies."""
    wrong = []
    for requirement in needed:
        found = versions.get(canonicalize_name(requirement.name))
        if target.needs(requirement) and (found is None or not requirement.specifier.contains(found, prereleases=True)):
            wrong.append(f"{requirement} is asked for, pinned is {found}")
    return wrong


def requirements_of(wheels: list[dict[str, Any]], target: Target) -> list[Requirement]:
    """What the wheels say they need there, with the extras that they ask of each other."""
    said = {canonicalize_name(wheel["name"]): _needs(wheel) for wheel in wheels}
    needed = [need for needs in said.values() for need in needs if target.needs(need)]
    for need in tuple(needed):
        for extra in need.extras:
            more = said.get(canonicalize_name(need.name), [])
            needed += [Requirement(str(one).split(";")[0]) for one in more if target.needs(one, [extra])]
    return needed


def wheels_for(target: Target, versions: dict[str, str]) -> list[dict[str, Any]]:
    """The metadata of the wheel of every pin. Raises ValueError with pip's words where one is missing."""
    with tempfile.TemporaryDirectory() as folder:
        file, report = Path(folder) / "pins.txt", Path(folder) / "report.json"
        file.write_text("".join(f"{name}=={number}\n" for name, number in versions.items()), "utf-8")
        command = [sys.executable, "-m", "pip", "install", "-q", "--dry-run", "--ignore-installed", "--no-deps"]
        command += ["--only-binary=:all:", "--target", folder, "--python-version", target.python, "-r", str(file)]
        command += ["--report", str(report), *(f"--platform={platform}" for platform in target.platforms)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError("\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR")))
        return [entry["metadata"] for entry in json.loads(report.read_text("utf-8"))["install"]]


def problems(target: Target) -> list[str]:
    """Everything that is wrong with the pins for this target."""
    try:
        versions = pinned(target)
        wheels = wheels_for(target, versions)
    except ValueError as error:
        return [str(error)]
    return not_satisfied([*roots(), *requirements_of(wheels, target)], versions, target)


def _needs(wheel: dict[str, Any]) -> list[Requirement]:
    return [Requirement(line) for line in wheel.get("requires_dist", [])]


def main() -> int:
    failed = False
    for target in TARGETS:
        wrong = problems(target)
        failed = failed or bool(wrong)
        print(f"Python {target.python}, {target.machine}: {len(wrong)} problems", flush=True)
        for line in wrong:
            print(f"  {line}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
