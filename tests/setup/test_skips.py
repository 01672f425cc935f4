"""The skips of ./check: what may be skipped, and what is a failure under --no-skips."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import ROOT

REASONS = {
    "needs Debian package nonesuch": True,
    "needs package nonesuch": True,
    "could not import 'nonesuch': No module named 'nonesuch'": True,
    "needs ../shared/speech, which is not beside this checkout": False,
    "needs an aarch64 machine": False,
}


def run_pytest(folder: Path, body: str, *options: str) -> "subprocess.CompletedProcess[str]":
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "test_it.py").write_text(f"import pytest\n{body}\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml"]
    return subprocess.run(
        [*command, "--rootdir", folder, *options, folder / "test_it.py"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_a_skip_is_a_failure_under_no_skips_only_where_something_could_be_installed(tmp_path: Path, reason: str):
    body = f"def test_it():\n    pytest.skip({reason!r})"

    strict = run_pytest(tmp_path, body, "--no-skips")

    assert (strict.returncode != 0) is REASONS[reason], strict.stdout
    assert reason in strict.stdout


def test_a_skip_is_no_failure_without_no_skips(tmp_path: Path):
    body = "def test_it():\n    pytest.skip('needs Debian package nonesuch')"

    assert run_pytest(tmp_path, body).returncode == 0


def test_a_whole_file_that_skips_for_want_of_a_package_fails_under_no_skips(tmp_path: Path):
    body = "pytest.importorskip('nonesuch_package')\ndef test_it():\n    pass"

    assert run_pytest(tmp_path, body, "--no-skips").returncode != 0
