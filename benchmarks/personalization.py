"""What a list of a person's words does for the text: errors on the words in it and on all others, and the harm.

Text only, over hypotheses of any recogniser: --hyps and --refs (the published LibriSpeech material). With the sound,
through our own engine: --manifest and --terms (one line of lists for each clip, or the folder of such a file). Without
--list-size or --distractors all sizes and conditions are measured: only what was said (oracle), with others, "absent"
(the others without what was said), "near" (others that sound near to what was said), and the words of each speaker.
--beam 4 also decodes with beam search, --ablate also measures without parts of what decides; --all is both.

With --output the rows are kept as they are found, and an unfinished run is gone on with.
"""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.accuracy import with_beam
from benchmarks.personalization_ablation import NOTHING, PARTS, Ablation, ablations
from benchmarks.personalization_book import Book, fingerprint, fingerprint_of, keep
from benchmarks.personalization_run import Condition, Corrections, Remembering, Source, Task, measured
from benchmarks.personalization_sound import clips, lines_of, many_words, recordings, terms_of
from benchmarks.personalization_text import texts
from benchmarks.recordings import spread
from benchmarks.start import facts
from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.engine import catalog
from voice_ime.engine.base import Options
from voice_ime.engine.engines import Engines
from voice_ime.errors import ConfigError
from voice_ime.messages import Messages
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.weighing import Weighing

if TYPE_CHECKING:
    from voice_ime.settings import Settings

SIZES = (10, 100, 1000, 5000)
WIDE = 4
"""Texts that beam search follows with --all."""
ABLATED = ((1000, False), (100, True))
"""Sizes, and whether the others sound near: where --all and --ablate switch parts off."""


def add_arguments(parser: Parser, messages: Messages) -> None:
    file, number, name = messages("help.file_word"), messages("help.number_word"), messages("help.name_word")
    for option in ("hyps", "refs", "manifest", "terms"):
        parser.add_argument(f"--{option}", type=Path, metavar=file, help=messages(f"bench.help_{option}"))
    parser.add_argument("--list-size", type=int, metavar=number, help=messages("bench.help_list_size"))
    parser.add_argument("--distractors", type=int, metavar=number, help=messages("bench.help_list_size"))
    parser.add_argument("--absent", action="store_true", help=messages("bench.help_absent"))
    parser.add_argument("--near", action="store_true", help=messages("bench.help_near"))
    parser.add_argument("--beam", type=int, metavar=number, help=messages("bench.help_beam"))
    parser.add_argument("--ablate", metavar=name, help=messages("bench.help_ablate", parts=", ".join(PARTS)))
    parser.add_argument("--all", action="store_true", help=messages("bench.help_all"))
    parser.add_argument("--seed", type=int, default=0, metavar=number, help=messages("bench.help_list_seed"))
    parser.add_argument("--limit", type=int, metavar=number, help=messages("bench.help_limit"))
    parser.add_argument("--json", action="store_true", help=messages("bench.help_json"))
    parser.add_argument("--output", type=Path, metavar=file, help=messages("bench.help_output"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    weighing, english = Weighing.from_file(), Remembering()
    parts = [*_sound_parts(arguments, settings), *_text_parts(arguments, english)]
    if not parts:
        raise ConfigError(where="--hyps, --refs; --manifest, --terms", detail="?")
    single = sum(len(part.tasks) for part in parts) == 1
    book = Book(_about(arguments, settings, weighing), None if single else arguments.output)
    with contextlib.suppress(KeyboardInterrupt):
        _fill(book, parts, Corrections(english, weighing), quiet=arguments.json)
        book.end()
    return _end(book, arguments, messages, single=single)


def _end(book: Book, arguments: argparse.Namespace, messages: Messages, *, single: bool) -> int:
    figures = book.figures()
    if single and book.rows:
        figures = book.rows[0] | {"about": figures["about"]}
        if arguments.output:
            keep(arguments.output, figures)
    if arguments.json:
        print(json.dumps(figures, indent=2), flush=True)
    if not book.complete:
        print(messages("bench.interrupted"), file=sys.stderr)
    return ExitCode.OK if book.complete else ExitCode.INTERRUPTED


def _about(arguments: argparse.Namespace, settings: "Settings", weighing: Weighing) -> dict[str, Any]:
    """What the figures belong to; files by their names and what is in them."""
    files = [arguments.hyps, arguments.refs, arguments.manifest, arguments.terms and lines_of(arguments.terms)]
    return facts() | {
        "load": round(os.getloadavg()[0], 1),
        "settings": weighing.hash,
        "seed": arguments.seed,
        "limit": arguments.limit,
        "engine": settings.engine.name if arguments.manifest else None,
        "engine_settings": fingerprint_of(settings.engine.model_dump_json().encode()),
        "files": {file.name: fingerprint(file) for file in files if file},
    }


# --- what is to be measured ---


@dataclass(frozen=True)
class Part:
    """Rows over utterances that were heard in one way."""

    tasks: Sequence[Task]
    open: Callable[[], Source]


def _text_parts(arguments: argparse.Namespace, english: English) -> list[Part]:
    if not (arguments.hyps or arguments.refs):
        return []
    hyps, refs = _needed(arguments.hyps, "--hyps"), _needed(arguments.refs, "--refs")

    def listen() -> Source:
        return texts(hyps, refs, english, arguments.seed, arguments.limit)

    return [Part(_tasks("text", arguments.list_size, None, _switched_off(arguments), arguments), listen)]


def _sound_parts(arguments: argparse.Namespace, settings: "Settings") -> list[Part]:
    if not (arguments.manifest or arguments.terms):
        return []
    manifest, terms = _needed(arguments.manifest, "--manifest"), _needed(arguments.terms, "--terms")
    wide = arguments.beam or (WIDE if arguments.all else None)
    parts = [_sound_part(arguments, settings, manifest, terms, _switched_off(arguments))]
    if wide and _decoder(wider := with_beam(settings, wide)) != _decoder(settings):
        parts.append(_sound_part(arguments, wider, manifest, terms, ()))
    return parts


def _sound_part(
    arguments: argparse.Namespace, settings: "Settings", manifest: Path, terms: Path, off: Sequence[Ablation]
) -> Part:
    decoder = _decoder(settings)

    def listen() -> Source:
        known, lists = clips(manifest), terms_of(terms)
        names = spread([name for name in lists if name in known], arguments.limit)
        if not names:
            raise ConfigError(where=str(terms), detail="0")
        many = many_words(terms, lists)
        engine = Engines(settings.engines).chosen(Options("en"))  # one, or two passes, as in the server
        return recordings(engine, known, names, lists, many, arguments.seed, decoder)

    return Part(_tasks("sound", arguments.distractors, decoder, off, arguments), listen)


def _decoder(settings: "Settings") -> str:
    """Of the engine that writes English, in a word or two; its name, where it can search in one way only."""
    engine = settings.engine
    route = engine.by_language.get("en", engine)
    name = route.final or route.name
    own = engine.others.get(name) or engine.model_copy(update={"name": name})
    size = getattr(getattr(own, catalog.facts(own.name).settings or "", None), "beam_size", None)
    return name if size is None else "greedy" if size == 1 else f"beam {size}"


def _switched_off(arguments: argparse.Namespace) -> list[Ablation]:
    names = arguments.ablate or (",".join(PARTS) if arguments.all else "")
    return ablations(names) if names else []


def _tasks(
    source: str, size: int | None, decoder: str | None, off: Sequence[Ablation], arguments: argparse.Namespace
) -> list[Task]:
    if size is not None:
        asked = [Condition(source, size, arguments.absent, arguments.near)]
        return [Task(each, decoder, without) for without in (NOTHING, *off) for each in asked]
    ablated = [Condition(source, number, absent, near) for number, near in ABLATED for absent in (False, True)]
    return [
        *(Task(each, decoder) for each in conditions(source)),
        *(Task(each, decoder, without) for without in off for each in ablated),
    ]


def conditions(source: str) -> list[Condition]:
    """All of them."""
    return [
        Condition(source, 0),
        Condition(source, 0, own="others"),
        Condition(source, 0, own="all"),
        *(
            Condition(source, size, absent, near)
            for size in SIZES
            for near in (False, True)
            for absent in (False, True)
        ),
    ]


def _needed(path: Path | None, option: str) -> Path:
    if path is None:
        raise ConfigError(where=option, detail="?")
    return path


# --- measuring it ---


def _fill(book: Book, parts: Sequence[Part], corrections: Corrections, *, quiet: bool) -> None:
    whole = sum(len(part.tasks) for part in parts)
    for part in parts:
        for row in _rows(book, part, corrections, whole):
            book.add(row)
            if not quiet:
                print(_line(row), flush=True)


def _rows(book: Book, part: Part, corrections: Corrections, whole: int) -> Iterator[dict[str, Any]]:
    """Those that are not in the book. What was heard is forgotten afterwards: it may be a gigabyte."""
    left = [task for task in part.tasks if not book.has(task.about())]
    if not left:
        return
    source = part.open()
    for task in left:
        yield _row(task, source, corrections, f"{book.known + 1}/{whole} {task.label}")


def _row(task: Task, source: Source, corrections: Corrections, label: str) -> dict[str, Any]:
    if why := task.without.idle(source.can):
        return task.about() | {"not_applicable": why}
    return measured(task, source, corrections, label)


def _line(row: dict[str, Any]) -> str:
    kind = f"{row['condition']} {row['list_size']}"
    name = f"{row['source']:5} {row['decoder'] or '':7} {kind:18}"
    off = f" without {row['without']}" if row["without"] else ""
    if why := row.get("not_applicable"):
        return f"{name}{off}: {why}"
    harm, ms = row["replaced_right_to_wrong_per_1000"], row["ms_per_utterance"]
    return (
        f"{name} {_rates(row):18} ({_rates(row['without_list'])})  {harm:5.2f} right to wrong"
        f"  {ms['p50']:.1f} / {ms['p95']:.1f} ms{off}"
    )


def _rates(figures: dict[str, Any]) -> str:
    return "/".join(f"{figures[name]:.2f}" for name in ("wer", "u_wer", "b_wer"))
