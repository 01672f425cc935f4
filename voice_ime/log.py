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
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        before = one.__cause__ if one.__suppress_context__ else one.__context__
        waiting = [*inner, *([before] if before is not None else []), *waiting]
