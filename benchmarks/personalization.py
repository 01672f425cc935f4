"""What a list of a person's words does for the text: errors on the words in it and on all others, and the harm.

Text only, over hypotheses of any recogniser: --hyps and --refs (the published LibriSpeech material). With the sound,
through our own engine: --manifest and --terms (one line of lists for each clip). Without --list-size or --distractors
all sizes and conditions are measured. "Absent": the lists without what was said. "Near": among the others are words
that sound near to what was said.
"""

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.personalization_data import Lists, Neighbours, Spoken, spoken
from benchmarks.personalization_run import (
    TEXT_ONLY,
    Case,
    Condition,
    Corrections,
    NoSound,
    Stopwatch,
    Tally,
    heard_text,
    plain_words,
    spoken_words,
)
from benchmarks.recordings import Clip, spread, with_progress
from benchmarks.start import facts
from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.engine.base import Engine, Options
from voice_ime.engine.catalog import load
from voice_ime.errors import ConfigError
from voice_ime.messages import Messages
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.weighing import Weighing

if TYPE_CHECKING:
    from voice_ime.settings import Settings

TEXT_SIZES = (100, 500, 1000, 2000, 5000)
SOUND_SIZES = (100, 1000, 5000)
NEAR_SIZE = 100
WORDS = "all_rare_words.txt"
"""Beside the references: where the words of long lists are drawn from."""
LISTS = ("terms", "others_100", "others_1000", "near_100")
"""In each line of the terms."""
MANY_OTHERS = "others_5000.txt"
"""Beside the terms: words for long lists."""


def add_arguments(parser: Parser, messages: Messages) -> None:
    file, number = messages("help.file_word"), messages("help.number_word")
    for option in ("hyps", "refs", "manifest", "terms"):
        parser.add_argument(f"--{option}", type=Path, metavar=file, help=messages(f"bench.help_{option}"))
    parser.add_argument("--list-size", type=int, metavar=number, help=messages("bench.help_list_size"))
    parser.add_argument("--distractors", type=int, metavar=number, help=messages("bench.help_list_size"))
    parser.add_argument("--absent", action="store_true", help=messages("bench.help_absent"))
    parser.add_argument("--near", action="store_true", help=messages("bench.help_near"))
    parser.add_argument("--seed", type=int, default=0, metavar=number, help=messages("bench.help_list_seed"))
    parser.add_argument("--limit", type=int, metavar=number, help=messages("bench.help_limit"))
    parser.add_argument("--json", action="store_true", help=messages("bench.help_json"))
    parser.add_argument("--output", type=Path, metavar=file, help=messages("bench.help_output"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    weighing = Weighing.from_file()
    corrections = Corrections(English(), weighing)
    rows: list[dict[str, Any]] = []
    if arguments.hyps or arguments.refs:
        rows += _text(arguments, corrections)
    if arguments.manifest or arguments.terms:
        rows += _sound(arguments, corrections, load(settings.engine))
    if not rows:
        raise ConfigError(where="--hyps, --refs; --manifest, --terms", detail="?")
    about = facts() | {"seed": arguments.seed, "settings": weighing.hash}
    single = len(rows) == 1
    figures = rows[0] | {"about": about} if single else {"bench": "personalization", "rows": rows, "about": about}
    _show(figures, rows, arguments)
    return ExitCode.OK


def _show(figures: dict[str, Any], rows: Sequence[dict[str, Any]], arguments: argparse.Namespace) -> None:
    text = json.dumps(figures, indent=2)
    if arguments.output:
        arguments.output.write_text(text + "\n", "utf-8")
    for line in [text] if arguments.json else map(_line, rows):
        print(line, flush=True)


def _line(row: dict[str, Any]) -> str:
    kind = f"{'near ' if row['near'] else ''}{'absent' if row['absent'] else 'present'} {row['list_size']}"
    harm, ms = row["replaced_right_to_wrong_per_1000"], row["ms_per_utterance"]
    return (
        f"{row['source']:5} {kind:18} {_rates(row):18} ({_rates(row['without_list'])})  {harm:5.2f} right to wrong"
        f"  {ms['p50']:.1f} / {ms['p95']:.1f} ms"
    )


def _rates(figures: dict[str, Any]) -> str:
    return "/".join(f"{figures[name]:.2f}" for name in ("wer", "u_wer", "b_wer"))


def _conditions(source: str, size: int | None, sizes: Iterable[int], arguments: argparse.Namespace) -> list[Condition]:
    if size is not None:
        return [Condition(source, size, arguments.absent, arguments.near)]
    plain = [Condition(source, each, absent) for each in sizes for absent in (False, True)]
    return plain + [Condition(source, NEAR_SIZE, absent, near=True) for absent in (False, True)]


def _needed(path: Path | None, option: str) -> Path:
    if path is None:
        raise ConfigError(where=option, detail="?")
    return path


# --- text only ---


def _text(arguments: argparse.Namespace, corrections: Corrections) -> list[dict[str, Any]]:
    references = _needed(arguments.refs, "--refs")
    everything = spoken(_needed(arguments.hyps, "--hyps"), references)
    pool = pool_of(references.parent / WORDS, everything)
    lists = Lists(pool, arguments.seed)
    conditions = _conditions("text", arguments.list_size, TEXT_SIZES, arguments)
    near = Neighbours(pool, corrections.english) if any(each.near for each in conditions) else None
    chosen = spread(everything, arguments.limit)
    return [_text_row(each, chosen, lists, near, corrections) for each in conditions]


def _text_row(
    condition: Condition, chosen: Sequence[Spoken], lists: Lists, near: Neighbours | None, corrections: Corrections
) -> dict[str, Any]:
    tally = Tally(condition)
    for one in with_progress(chosen, f"{condition.size}"):
        case = Case(one.said, frozenset(one.terms), one.speaker, heard_text(one.heard), plain_words)
        others = lists.near(one, near, condition.size) if near and condition.near else lists.others(one, condition.size)
        listed = others if condition.absent else [*one.terms, *others]
        tally.add(case, corrections.corrected(case, listed, NoSound(), TEXT_ONLY), 0.0)
    return tally.figures()


def pool_of(file: Path, everything: Sequence[Spoken]) -> list[str]:
    """The words of long lists: those of the file, or of all lists where there is none."""
    if file.is_file():
        return file.read_text("utf-8").split()
    return sorted({word for one in everything for word in one.others})


# --- with the sound ---


@dataclass(frozen=True)
class Terms:
    """The lists of one clip."""

    terms: tuple[str, ...]
    others: tuple[str, ...]
    """A hundred."""
    more: tuple[str, ...]
    """A thousand."""
    near: tuple[str, ...]

    def listed(self, condition: Condition, many: Sequence[str], said: Iterable[str], seed: int) -> list[str]:
        others = self._others(condition, many, said, seed)
        return others if condition.absent else [*self.terms, *others]

    def _others(self, condition: Condition, many: Sequence[str], said: Iterable[str], seed: int) -> list[str]:
        if condition.near:
            return list(self.near)
        for known in (self.others, self.more):
            if condition.size <= len(known):
                return list(known[: condition.size])
        spoken_words = set(said)
        left = [word for word in many if word not in spoken_words]
        if condition.size < len(many):
            return random.Random(seed).sample(left, min(condition.size, len(left)))
        return left


def _sound(arguments: argparse.Namespace, corrections: Corrections, engine: Engine) -> list[dict[str, Any]]:
    file = _needed(arguments.terms, "--terms")
    lists = terms_of(file)
    many = words_in(file.parent / MANY_OTHERS)
    known = clips(_needed(arguments.manifest, "--manifest"))
    names = spread([name for name in lists if name in known], arguments.limit)
    conditions = _conditions("sound", arguments.distractors, SOUND_SIZES, arguments)
    tallies = [Tally(each) for each in conditions]
    for name in with_progress(names, "sound"):
        _one_clip(known[name], lists[name], many, corrections, engine, tallies, arguments.seed)
    return [tally.figures() for tally in tallies]


def _one_clip(
    clip: Clip,
    lists: Terms,
    many: Sequence[str],
    corrections: Corrections,
    engine: Engine,
    tallies: Sequence[Tally],
    seed: int,
) -> None:
    """Heard once, corrected with each list."""
    utterance = engine.begin(Options("en"))
    utterance.feed(clip.sound)
    heard = utterance.finish()
    said = tuple(spoken_words(clip.text))
    case = Case(said, frozenset(lists.terms), clip.speaker, heard, spoken_words)
    for tally in tallies:
        sound = Stopwatch(utterance)
        listed = lists.listed(tally.condition, many, said, seed)
        tally.add(case, corrections.corrected(case, listed, sound, engine.capabilities), sound.price_s)
    utterance.cancel()


def clips(manifest: Path) -> dict[str, Clip]:
    """By id."""
    try:
        rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines() if line.strip()]
        return {
            row["id"]: Clip(manifest.parent / row["path"], row["text"], row["lang"], row["kind"], row["speaker"])
            for row in rows
        }
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(where=str(manifest), detail=str(error)) from error


def terms_of(file: Path) -> dict[str, Terms]:
    """By the id of the clip."""
    try:
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
        return {row["id"]: Terms(*(tuple(row[name]) for name in LISTS)) for row in rows}
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(where=str(file), detail=str(error)) from error


def words_in(file: Path) -> list[str]:
    return file.read_text("utf-8").split() if file.is_file() else []
