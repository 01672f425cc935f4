"""The pins: whole, exact, one version each, without addresses. That wheels exist is shown by scripts/check_pins.py."""

import importlib.metadata
import platform
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.check_pins import (
    FILES,
    PYTHONS,
    TARGETS,
    Target,
    not_satisfied,
    pinned,
    pins,
    requirements_of,
    roots,
    version,
)
from scripts.update_pins import short
from tests.needs import ROOT

HERE = Target(".".join(platform.python_version_tuple()[:2]), platform.machine())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_line_is_an_exact_version(file: Path):
    assert all(version(pin) for pin in pins(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_line_holds_an_address_or_an_option(file: Path):
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]

    assert not [line for line in lines if re.search(r"://|@|^-|--", line)]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_whatever_the_project_asks_for_is_pinned(target: Target):
    assert not_satisfied(roots(), pinned(target), target) == []


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_dictate_alone_brings_all_that_the_server_and_the_desktop_ask_for(target: Target):
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = tables["optional-dependencies"]
    needed = [Requirement(line) for line in (*tables["dependencies"], *extras["server"], *extras["desktop"])]

    assert not_satisfied(needed, pinned(target, [ROOT / "requirements" / "dictate.txt"]), target) == []


def test_what_the_installed_packages_need_is_pinned():
    versions = pinned(HERE)
    wheels = [
        {"name": name, "requires_dist": found.requires or []}
        for found in importlib.metadata.distributions()
        if (name := canonicalize_name(found.metadata["Name"])) in versions
    ]

    assert len(wheels) > 40
    assert not_satisfied(requirements_of(wheels, HERE), versions, HERE) == []


def test_the_model_package_is_never_raised():
    assert pinned(TARGETS[0])["moonshine-voice"] == "0.0.73"


def test_the_promised_pythons_are_those_of_the_package():
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [line.rpartition(" ")[2] for line in tables["classifiers"] if re.search(r"Python :: 3\.\d+$", line)]

    assert tuple(named) == PYTHONS
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in PYTHONS


def test_a_wheel_that_needs_what_is_not_pinned_is_found():
    wheels = [{"name": "a", "requires_dist": ["b>=2", "c; extra == 'more'", "d; sys_platform == 'win32'"]}]
    target = TARGETS[0]

    assert not_satisfied(requirements_of(wheels, target), {"a": "1", "b": "1"}, target) == [
        "b>=2 is asked for, pinned is 1"
    ]


def test_what_one_wheel_asks_of_another_with_an_extra_is_found():
    wheels = [{"name": "a", "requires_dist": ["b[more]"]}, {"name": "b", "requires_dist": ["c; extra == 'more'"]}]
    target = TARGETS[0]

    assert not_satisfied(requirements_of(wheels, target), {"a": "1", "b": "1"}, target) == [
        "c is asked for, pinned is None"
    ]


def test_two_versions_of_one_package_are_refused(tmp_path: Path):
    (tmp_path / "one.txt").write_text("a==1\n")
    (tmp_path / "two.txt").write_text("a==2\n")

    with pytest.raises(ValueError, match="pinned twice"):
        pinned(TARGETS[0], [tmp_path / "one.txt", tmp_path / "two.txt"])


@pytest.mark.parametrize("line", ["a>=1", "a", "a==1.*", "a @ file:///a.whl"])
def test_what_is_no_exact_version_is_refused(line: str):
    with pytest.raises(ValueError, match=r"pin|unpack"):
        version(Requirement(line))


@pytest.mark.parametrize(
    ("long", "simple"),
    [
        ("a==1 ; sys_platform == 'linux' and python_full_version < '3.14'", "a==1"),
        ("a==1 ; sys_platform == 'linux' and platform_machine == 'x86_64'", "a==1 ; platform_machine == 'x86_64'"),
        ("a==1 ; python_full_version < '3.12' or python_version == '3.13'", "a==1 ; python_version != '3.12'"),
    ],
)
def test_markers_are_made_short_without_changing_where_they_hold(long: str, simple: str):
    assert short(long) == simple
