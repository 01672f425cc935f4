"""A private desktop for each test; where it lacks a Debian package, the test skips and names it."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.desktop.applications import Application, Program, application
from tests.desktop.session import PackageMissing, Parts, Session, private_session
from tests.needs import DEBIAN

Open = Callable[..., Application]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield from _skipping())


def _skipping() -> Generator[None, Any, Any]:
    try:
        return (yield)
    except PackageMissing as missing:
        pytest.skip(f"{DEBIAN} {missing.package}")


@pytest.fixture
def parts() -> Parts:
    """What the session of the test has; a file may have a fixture of its own in its place."""
    return Parts()


@pytest.fixture
def session(parts: Parts) -> Iterator[Session]:
    with private_session(parts) as session:
        yield session


@pytest.fixture
def open_application(session: Session) -> Iterator[Open]:
    """`open_application(GTK3, "line")`: the program with that field in focus; it is closed after the test."""
    with ExitStack() as stack:

        def open_one(program: Program, field: str = "", *more: str) -> Application:
            return stack.enter_context(application(session, program, field, *more))

        yield open_one
