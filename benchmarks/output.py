"""What the benchmarks have in common on the command line, and how they show their figures."""

import argparse
import asyncio
import errno
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers.table import PEERS
from benchmarks.peers.table import check as check_peer
from benchmarks.recordings import first_cores
from benchmarks.start import facts
from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.errors import ConfigError, StoreError
from voice_ime.messages import Messages
from voice_ime.output import output_file

Figures = dict[str, Any]


def add_manifest_arguments(parser: Parser, messages: Messages) -> None:
    name, file = messages("help.name_word"), messages("help.file_word")
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help=messages("bench.help_manifest"))
    parser.add_argument("--kind", default="read", metavar=name, help=messages("bench.help_kind"))
    parser.add_argument("--lang", default="en", metavar=name, help=messages("bench.help_lang"))
    parser.add_argument("--peer", action="append", default=[], choices=sorted(PEERS), help=messages("bench.help_peer"))
    folder = messages("help.folder_word")
    parser.add_argument("--peer-model", type=Path, metavar=folder, help=messages("bench.help_peer_model"))
    parser.add_argument("--json", action="store_true", help=messages("bench.help_json"))
    parser.add_argument("--output", type=Path, metavar=file, help=messages("bench.help_output"))


def add_live_arguments(parser: Parser, messages: Messages) -> None:
    add_manifest_arguments(parser, messages)
    number = messages("help.number_word")
    parser.add_argument("--cores", default=first_cores(), metavar=number, help=messages("bench.help_cores"))
    parser.add_argument("--idle", type=float, default=10, metavar=number, help=messages("bench.help_idle"))


def run_live(
    bench: str, arguments: argparse.Namespace, messages: Messages, measure: Callable[[Figures], Awaitable[None]]
) -> int:
    """Runs `measure`, which fills the figures it is given as it goes, and shows them; after Ctrl-C what there is."""

    async def work(figures: Figures) -> None:
        await measure(figures)

    return finish(bench, arguments, messages, lambda figures: asyncio.run(work(figures)))


def finish(bench: str, arguments: argparse.Namespace, messages: Messages, measure: Callable[[Figures], None]) -> int:
    """Measures and shows the figures; of a run that breaks off those that there are. SOME_FAILED: not all was measured.

    ConfigError, StoreError where it is plain from the beginning that nothing can come of it.
    """
    check(arguments, messages)
    figures: Figures = {"bench": bench, "complete": False}
    try:
        measure(figures)
        figures["complete"] = True
    except KeyboardInterrupt:
        show(figures | _about(arguments), arguments, messages)
        return ExitCode.INTERRUPTED
    except Exception:
        if "clips" in figures or "stages" in figures:
            show(figures | _about(arguments), arguments, messages)
        raise
    show(figures | _about(arguments), arguments, messages)
    return ExitCode.SOME_FAILED if figures.get("unreadable") else ExitCode.OK


LEAST = {"limit": 1, "beam": 1, "most_wer": 0, "idle": 0.1, "seconds": 1, "first": 1, "most": 1, "sessions": 1}
"""The least that the numbers among the options can be."""


def check(arguments: argparse.Namespace, messages: Messages) -> None:
    """What can be known before an hour of measuring. ConfigError, StoreError, ModuleNotFoundError."""
    for name, least in LEAST.items():
        value = getattr(arguments, name, None)
        if value is not None and not value >= least:  # also what is no number
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(where=option, detail=messages("setting.at_least", limit=least))
    for peer in arguments.peer:
        check_peer(peer, arguments.peer_model, messages)
    check_output(arguments.output)


def check_output(path: Path | None) -> None:
    """StoreError where no file of that name can be written."""
    if path is None:
        return
    reason = errno.EISDIR if path.is_dir() else 0 if path.parent.is_dir() else errno.ENOENT
    if reason:
        raise StoreError(path=str(path), detail=os.strerror(reason))


def _about(arguments: argparse.Namespace) -> Figures:
    """What the figures belong to; the manifest by its name only."""
    names = ("kind", "lang", "engine", "cores", "limit", "stream", "seconds")
    asked = {name: getattr(arguments, name) for name in names if getattr(arguments, name, None) is not None}
    return {"about": facts() | {"manifest": arguments.manifest.name} | asked}


def show(figures: Figures, arguments: argparse.Namespace, messages: Messages) -> None:
    """On standard output, and in the file that was asked for: one of the two still has them if the other fails."""
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    try:
        if arguments.output is not None:
            write_file(arguments.output, text)
    finally:
        for line in [text] if arguments.json else lines(figures, messages):
            print(line, flush=True)
        if not figures["complete"]:
            print(messages("bench.interrupted"), file=sys.stderr)


def write_file(path: Path, text: str) -> None:
    """DiskFull, StoreError."""
    with output_file(path) as file:
        file.line(text)


def lines(figures: Mapping[str, Any], messages: Messages) -> list[str]:
    """The figures as sentences to be read or heard."""
    own = [line for name, value in figures.items() if (line := _line(name, value, messages))]
    models = ((row["model"], {name: value for name, value in row.items() if value is not None})
              for row in figures.get("models", ()))  # fmt: skip
    beside = [*figures.get("peers", {}).items(), *models]
    for name, theirs in beside:
        own += ["", f"{name}:", *(line for figure, value in theirs.items() if (line := _line(figure, value, messages)))]
    return own


def _line(name: str, value: Any, messages: Messages) -> str:
    key, known = f"bench.figure.{name}", messages.keys()
    if key not in known or value == "":
        return ""
    return messages("bench.line", name=messages(key), value=value_text(value, messages))


def value_text(value: Any, messages: Messages) -> str:
    match value:
        case None:
            return messages("bench.nothing")
        case {"p50": p50, "p95": p95, "p99": p99}:
            return messages("bench.percentiles", p50=_number(p50), p95=_number(p95), p99=_number(p99))
        case [low, high]:
            return f"{_number(low)} – {_number(high)}"
        case _:
            return _number(value)


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
