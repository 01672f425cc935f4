"""./check: every check is run, what it says goes through, and the last line tells what came of it."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.check import WAITING, Check, checks, last_line, run
from tests.needs import ROOT


def script(text: str) -> Check:
    return Check("script", (sys.executable, "-c", text))


def test_ruff_mypy_and_pytest_are_run_and_pytest_gets_the_arguments():
    every = checks(["--no-skips", "-k", "word"], cores=2)

    assert [check.name for check in every] == ["ruff", "mypy", "pytest"]
    assert every[-1].command[-4:] == ("pytest", "--no-skips", "-k", "word")
    assert every[-1].beside is None


@pytest.mark.parametrize("arguments", [[], ["--no-skips"]])
def test_of_all_tests_those_that_wait_run_beside_the_others(arguments: list[str]):
    [*_, waiting] = checks(arguments, cores=2)

    assert waiting.beside is not None
    assert waiting.command[3:] == (*arguments, "tests/desktop")
    assert waiting.beside.command[3:] == (*arguments, "tests", "--ignore=tests/desktop")
    assert (ROOT / WAITING).is_dir()


def test_one_processor_runs_one_test_at_a_time():
    assert checks([], cores=1)[-1] == Check("pytest", (sys.executable, "-m", "pytest"))


@pytest.mark.parametrize(("status", "other", "well"), [(0, 0, True), (1, 0, False), (0, 1, False)])
def test_of_two_at_once_both_must_pass_and_both_are_shown(
    status: int, other: int, well: bool, capfdbinary: pytest.CaptureFixture[bytes]
):
    beside = script(f"print('2 tests'); raise SystemExit({other})")
    passed, said = run(replace(script(f"print('3 tests'); raise SystemExit({status})"), beside=beside), {})

    assert (passed, said) == (well, "3 tests; 2 tests")
    assert capfdbinary.readouterr().out == b"3 tests\n2 tests\n"


def test_a_check_that_fails_is_a_failure_and_its_last_line_is_known(capfdbinary: pytest.CaptureFixture[bytes]):
    passed, said = run(script("print('one\\n=== 2 failed in 3.0s ===\\n'); raise SystemExit(1)"), {})

    assert (passed, said) == (False, "2 failed in 3.0s")


def test_a_check_that_passes_is_none():
    assert run(script("print('2 passed')"), {}) == (True, "2 passed")


def test_the_last_line_of_nothing_is_empty():
    assert last_line("\n\n") == ""


def test_continuous_integration_allows_no_skips():
    assert 'check" --no-skips' in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("name", ["dictate", "check", ".ci/run"])
def test_the_commands_can_be_started(name: str):
    path = Path(ROOT / name)

    assert path.stat().st_mode & 0o111 == 0o111
    assert path.read_text("utf-8").startswith("#!/bin/sh\n")
