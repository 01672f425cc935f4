"""The log tells what happened and where, never the text of an error: it may quote what was said."""

import copy
import logging
import re
import traceback
from collections.abc import Iterator
from types import TracebackType

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class WithoutWords(logging.Formatter):
    """Of errors the kinds and the places in the code, also of those that led to them."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        if record.name == "asyncio":  # its reports show whatever was being worked on
            record = copy.copy(record)
            record.msg, record.args = re.split(r"[\n(]", record.getMessage())[0], ()
        return super().format(record)

    def formatException(self, ei: ExceptionInfo) -> str:
        return "" if ei[1] is None else told(ei[1])


def told(error: BaseException) -> str:
    """Kinds and places of `error` and of those that led to it, the first cause last."""
    parts = ("".join([f"{type(one).__name__}\n", *traceback.format_tb(one.__traceback__)]) for one in _chain(error))
    return "".join(parts).rstrip()


def _chain(error: BaseException) -> Iterator[BaseException]:
    yield error
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _chain(inner)
    before = error.__cause__ if error.__suppress_context__ else error.__context__
    if before is not None:
        yield from _chain(before)
