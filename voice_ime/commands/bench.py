"""`voice-ime bench`: figures about the product, measured on this machine. From a source checkout only.

A benchmark is a file of `benchmarks` with `add_arguments(parser, messages)` and `run(arguments, settings, messages) ->
int`, a row of `BENCHES`, and the sentence `bench.<name>` of the catalogues.
"""

import argparse
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_ime.command_line import Parser
from voice_ime.errors import CheckoutNeeded
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Bench:
    name: str
    file: str
    """Its file in `benchmarks`, without the ending."""


BENCHES = (
    Bench("accuracy", "accuracy"),
    Bench("latency", "latency"),
    Bench("models", "real_models"),
    Bench("load", "load"),
    Bench("sessions", "sessions"),
    Bench("personalization", "personalization"),
    Bench("report", "report"),
    Bench("faults", "faults"),
)


def add_arguments(parser: Parser, messages: Messages) -> None:
    rows = [(each.name, messages(f"bench.{each.name}"), _fill(each, messages)) for each in BENCHES]
    parser.add_actions(messages("bench.benches"), "bench", messages("bench.bench_word"), rows)


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    bench = next(bench for bench in BENCHES if bench.name == arguments.bench)
    return int(load(bench).run(arguments, settings, messages))


def _fill(bench: Bench, messages: Messages) -> Callable[[Parser], None]:
    def fill(parser: Parser) -> None:
        from voice_ime.cli import add_common

        load(bench).add_arguments(parser, messages)
        add_common(parser, messages)

    return fill


def load(bench: Bench) -> Any:
    """CheckoutNeeded: the benchmarks are not part of the installed package."""
    if not (ROOT / "benchmarks" / f"{bench.file}.py").is_file():
        raise CheckoutNeeded()
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    return importlib.import_module(f"benchmarks.{bench.file}")
