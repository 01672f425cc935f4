"""The log never holds the text of an error, whoever reports it."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from voice_ime.log import WithoutWords, told

MARKER = "xylophone"


class Lines(logging.Handler):
    """Keeps what would be printed."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(WithoutWords())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def log() -> Iterator[Lines]:
    handler = Lines()
    for name in ("asyncio", __name__):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False
    yield handler
    for name in ("asyncio", __name__):
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).propagate = True


def fails(*_: object) -> None:
    try:
        raise KeyError(MARKER)
    except KeyError as error:
        raise ValueError(MARKER) from error


def test_of_an_error_its_kind_and_place_are_told_and_those_of_its_cause(log: Lines) -> None:
    try:
        fails()
    except ValueError:
        logging.getLogger(__name__).exception("it failed")
    assert log.text.startswith(f"ERROR {__name__}: it failed\nValueError\n")
    assert "KeyError" in log.text
    assert "in fails" in log.text
    assert MARKER not in log.text


def test_of_several_errors_at_once_each_is_told() -> None:
    text = told(ExceptionGroup(MARKER, [ValueError(MARKER), OSError(MARKER)]))
    assert text == "ExceptionGroup\nValueError\nOSError"


def test_errors_that_led_to_each_other_are_told_once() -> None:
    first, second = ValueError(MARKER), KeyError(MARKER)
    first.__cause__, second.__cause__ = second, first
    assert told(first) == "ValueError\nKeyError"


def test_what_a_callback_was_given_is_not_told(log: Lines) -> None:
    async def work() -> None:
        asyncio.get_running_loop().call_soon(fails, MARKER)
        await asyncio.sleep(0)

    asyncio.run(work())
    assert log.lines[0].startswith("ERROR asyncio: Exception in callback fails\nValueError\n")
    assert MARKER not in log.text


async def test_what_a_task_failed_with_is_not_told(log: Lines) -> None:
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task exception was never retrieved", "exception": ValueError(MARKER), "future": f"<{MARKER}>"}
    )
    assert log.lines == ["ERROR asyncio: Task exception was never retrieved\nValueError"]


def test_a_line_without_an_error_is_as_it_was(log: Lines) -> None:
    logging.getLogger(__name__).warning("%d of %d", 1, 2)
    assert log.lines == [f"WARNING {__name__}: 1 of 2"]


PROGRAM = f"""
import logging
from voice_ime.cli import Command, main
class Probe:
    def add_arguments(self, parser, messages): ...
    def run(self, arguments, settings, messages):
        logging.getLogger("uvicorn.error").error("it failed", exc_info=ValueError("{MARKER}"))
        return 0
main(["serve"], commands=[Command("serve", Probe, "server")])
"""


def test_the_program_logs_in_this_way() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stderr == "ERROR uvicorn.error: it failed\nValueError\n"
