"""`--no-skips`: a test that skips for want of something installable fails. See tests/needs.py."""

import ctypes
import gc
import signal
from collections.abc import Generator, Iterator
from typing import TypeVar

import pytest

from tests.needs import may_be_installed

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skip for want of an installable package is a failure")


def pytest_configure() -> None:
    """A shell that starts the tests in the background lets them ignore Ctrl-C, and so would every program that they
    start: those that a test interrupts would never end."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


REAL_TIME = ("desktop", "audio")
"""Folders of tests in which real programs, a real sound service and a real clock take part. A machine that stands still
for a second can fail one of them: it gets one second try, which the closing line counts as "rerun"."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in REAL_TIME:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="module", autouse=True)
def memory_goes_back_to_the_system() -> Iterator[None]:
    """What the models of a file of tests took and gave back: else glibc keeps hundreds of megabytes."""
    yield
    gc.collect()
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _judged((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _judged((yield), collector.config)


def _judged(report: Report, config: pytest.Config) -> Report:
    if config.getoption("--no-skips") and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if may_be_installed(reason):
            report.outcome = "failed"
            report.longrepr = f"--no-skips: {reason}"
    return report
