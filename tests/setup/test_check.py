"""./check: every check is run, what it says goes through, and the last line tells what came of it."""

import sys
from pathlib import Path

import pytest

from scripts.check import Check, checks, last_line, run
from tests.needs import ROOT


def script(text: str) -> Check:
    return Check("script", (sys.executable, "-c", text))


def test_ruff_mypy_and_pytest_are_run_and_pytest_gets_the_arguments():
    every = checks(["--no-skips", "-k", "word"])

    assert [check.name for check in every] == ["ruff", "mypy", "pytest"]
    assert every[-1].command[-4:] == ("pytest", "--no-skips", "-k", "word")


def test_a_check_that_fails_is_a_failure_and_its_last_line_is_known(capfdbinary: pytest.CaptureFixture[bytes]):
    passed, said = run(script("print('one\\n=== 2 failed in 3.0s ===\\n'); raise SystemExit(1)"), {})

    assert (passed, said) == (False, "2 failed in 3.0s")


def test_a_check_that_passes_is_none():
    assert run(script("print('2 passed')"), {}) == (True, "2 passed")


def test_the_last_line_of_nothing_is_empty():
    assert last_line("\n\n") == ""


def test_continuous_integration_allows_no_skips():
    assert "check\" --no-skips" in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("name", ["dictate", "check", ".ci/run"])
def test_the_commands_can_be_started(name: str):
    path = Path(ROOT / name)

    assert path.stat().st_mode & 0o111 == 0o111
    assert path.read_text("utf-8").startswith("#!/bin/sh\n")
