"""Whether memory grows with the number of people who have come and gone.

Sessions with a little speech each are opened and closed one after the other, a few at a time; the resident memory of
the server is read as they go. The slope over the second half says whether anything is kept; the first half is left for
what is allocated once.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.live import Track, memory_mb
from benchmarks.ours import server
from benchmarks.output import add_live_arguments, run_live
from benchmarks.recordings import Clip, clips, names, pinned, readable
from voice_ime.command_line import Parser
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings

SPOKEN_S = 2.0
AT_A_TIME = 8


@dataclass(frozen=True)
class Sample:
    sessions: int
    rss_mb: float


def add_arguments(parser: Parser, messages: Messages) -> None:
    add_live_arguments(parser, messages)
    number = messages("help.number_word")
    parser.add_argument("--sessions", type=int, default=1000, metavar=number, help=messages("bench.help_sessions"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    return run_live("sessions", arguments, messages, lambda figures: _measure(arguments, settings, messages, figures))


async def _measure(
    arguments: argparse.Namespace, settings: "Settings", messages: Messages, figures: dict[str, Any]
) -> None:
    langs = names(arguments.lang)
    recordings, figures["unreadable"] = readable(clips(arguments.manifest, names(arguments.kind), langs), messages)
    language = langs[0] if len(langs) == 1 else None
    with pinned(arguments.cores):
        async with server(settings, language) as ours:
            samples = [Sample(0, memory_mb(ours.process_id)[1])]
            while samples[-1].sessions < arguments.sessions:
                await ours.play([_few_words(recordings, samples[-1].sessions + each) for each in range(AT_A_TIME)])
                samples.append(Sample(samples[-1].sessions + AT_A_TIME, memory_mb(ours.process_id)[1]))
                figures |= growth(samples)


def _few_words(recordings: Sequence[Clip], number: int) -> Track:
    return Track((recordings[number % len(recordings)],), gap_s=0.0, stop_s=SPOKEN_S, paced=False)


def growth(samples: Sequence[Sample]) -> dict[str, Any]:
    """{sessions, rss_mb_before, rss_mb_after: of the first and the last, kb_per_session: over the second half}."""
    half = samples[len(samples) // 2 :]
    counts, sizes = [each.sessions for each in half], [each.rss_mb for each in half]
    slope = float(np.polyfit(counts, sizes, 1)[0]) if len(half) > 1 else 0.0
    return {
        "sessions": samples[-1].sessions,
        "rss_mb_before": round(samples[0].rss_mb, 1),
        "rss_mb_after": round(samples[-1].rss_mb, 1),
        "kb_per_session": round(1024 * slope, 2),
    }
