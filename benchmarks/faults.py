"""Dictation while things break: what was lost, doubled, misplaced, or put where nothing may stand?

    voice-ime bench faults --utterances 300 --seed 1 --json
    voice-ime bench faults --recordings MANIFEST --lang zh --engine sherpa --model FOLDER --json

The real client in a private session, real windows, recordings played into a virtual microphone; the engine hears given
lines, each another one. With --recordings a real engine hears them, two at a time, and what it makes of the same sound
when nothing breaks is what must have arrived. In the end every field is read inside its own program and compared with
the journal and with what was said.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.accounts import COUNTED, GRAVE, Finding, counts, findings, heard_otherwise
from benchmarks.start import facts
from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.errors import DesktopUnavailable
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from benchmarks.faulty_day import Day
    from benchmarks.faulty_voices import Voice
    from voice_ime.settings import Settings

INTERRUPTED = "interrupted"


def add_arguments(parser: Parser, messages: Messages) -> None:
    number = messages("help.number_word")
    parser.add_argument("--utterances", type=int, default=300, metavar=number, help=messages("bench.help_utterances"))
    parser.add_argument("--seed", type=int, default=1, metavar=number, help=messages("bench.help_seed"))
    file, name = messages("help.file_word"), messages("help.name_word")
    parser.add_argument("--recordings", type=Path, metavar=file, help=messages("bench.help_recordings"))
    parser.add_argument("--lang", metavar=name, default="zh", help=messages("bench.help_spoken"))
    parser.add_argument("--json", action="store_true", help=messages("bench.help_json"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    """SOME_FAILED where anything grave was found, or the day ended early."""
    from tests.desktop.session import PackageMissing

    try:
        voice = _voice(arguments, settings)
        figures = measured(arguments.utterances, arguments.seed, voice=voice, messages=messages.language)
    except PackageMissing as missing:
        raise DesktopUnavailable("package", missing.package) from None
    if arguments.json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        print(messages("bench.faults_result", **{name: figures[name] for name in (*COUNTED, "utterances")}))
    if figures.get("ended") == INTERRUPTED:
        return ExitCode.INTERRUPTED
    return ExitCode.SOME_FAILED if any(figures[name] for name in GRAVE) or "ended" in figures else ExitCode.OK


def _voice(arguments: argparse.Namespace, settings: "Settings") -> "Voice":
    from benchmarks.faulty_voices import GivenLines, Recordings

    if arguments.recordings is None:
        return GivenLines()
    return Recordings(settings, arguments.recordings.resolve(), arguments.lang)


def measured(utterances: int, seed: int, *, voice: "Voice", messages: str = "en") -> dict[str, Any]:
    """The figures of one run; Ctrl-C ends it, what was done is told. PackageMissing."""
    from benchmarks.faulty_day import day, plan

    with day(seed, voice=voice, messages=messages) as one:
        made, trouble = _live(one, plan(seed, utterances))
        found = findings(one.utterances, one.look(), one.secure)
    return _figures(one, seed, made, found, trouble)


def _live(day: "Day", names: list[str]) -> tuple[Counter[str], str]:
    """What was made of the plan, and why it ended early."""
    from tqdm import tqdm

    from benchmarks.faulty_day import FAULTS

    made: Counter[str] = Counter()
    try:
        for name in tqdm(names, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False):
            day.step(name, FAULTS[name].fault)
            made[name] += 1
    except KeyboardInterrupt:
        return made, INTERRUPTED
    except (TimeoutError, OSError, RuntimeError, AssertionError) as error:  # the desktop, or the client for good
        return made, f"{name}: {type(error).__name__}"
    return made, ""


def _figures(day: "Day", seed: int, made: Counter[str], found: list[Finding], trouble: str) -> dict[str, Any]:
    grave = [vars(one) for one in found if one.what in GRAVE]
    figures = counts(found) | {"utterances": len(day.utterances), "seed": seed, "faults": dict(sorted(made.items()))}
    figures |= {"programs_that_crashed": day.crashed, "engine": day.voice.name}
    others = heard_otherwise(day.utterances)
    figures |= {"heard_otherwise": [vars(one) for one in others if not one.as_delivered]}
    figures |= {"delivered_otherwise": [vars(one) for one in others if one.as_delivered]}
    return figures | ({"ended": trouble} if trouble else {}) | {"grave": grave} | facts()
