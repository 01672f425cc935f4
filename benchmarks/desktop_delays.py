"""How long the person waits after letting go of the talk key, and what the desktop client costs while it waits.

    .venv/bin/python -m benchmarks.desktop_delays [--limit N] [--json benchmarks/results/desktop_delays.json]

All in a private session: the real client with the embedded engine, recordings played in real time into a virtual
microphone, a synthetic talk key, real windows.

From release: from just before the key is let go to the client's own log line that says the text was read back in the
GTK 3 window; with that come the end of the tail, the final of the server and the journal's two writes to the disk. The
lines are read every millisecond. `said` is when the speech service gets the words.
Insertion: the same parts as the client has, without it: the guard, the place, changing to our input method (the person
has another), the commit, reading back, changing back.
Idle: the client armed, and beside it its server, for half a minute; shares of one core.
"""

import argparse
import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from voice_ime_desktop.insert.inserter import Held, Inserted, Outcome

from benchmarks.recordings import clips
from benchmarks.start import ROOT, facts, tell
from tests.desktop.applications import CHROMIUM, GTK3, GTK4, QT5, Program, application
from tests.desktop.dictation import Dictation, two_cities
from tests.desktop.inserting import hands_in, use_engine
from tests.desktop.session import Parts, Session, private_session
from voice_ime.audio import to_pcm16

MANIFEST = ROOT.parent / "shared" / "speech" / "manifest.jsonl"
LONGEST_S = 10.0
CLAUSES_S = ((1.1, 2.7), (1.1, 4.6), (4.9, 6.2), (4.9, 8.2), (0.0, 9.0))
"""Pieces of the recording that comes with the embedded model."""
MOST = 40
"""Further recordings."""
INSERTIONS = 60
IDLE_S = 30.0
WITHIN_S = 20.0
OTHER_INPUT_METHOD = "xkb:us::eng"


def figures_of(seconds: Sequence[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(seconds)
    if not ordered:
        return {"count": 0}
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    numbers = {"p50_ms": median(ordered), "p95_ms": p95, "max_ms": ordered[-1]}
    return {"count": len(ordered)} | {name: round(1000 * value, 1) for name, value in numbers.items()}


# --- from the release of the key


@dataclass(frozen=True)
class Delay:
    """Seconds from the release of the key."""

    sound_s: float
    """How long was spoken."""
    tail: float
    final: float
    verified: float
    said: float


class Log:
    """The client's log, each line with the moment at which it came."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[tuple[float, str]] = []
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        self._reader.start()

    def stop(self) -> None:
        self._ended.set()
        self._reader.join()

    def moment(self, ending: str, after: float, within_s: float = WITHIN_S) -> float | None:
        """When the first line came that ends so, after that moment; None: it did not."""
        end = time.monotonic() + within_s
        pause = threading.Event()
        while time.monotonic() < end:
            for when, line in list(self._lines):
                if when >= after and line.endswith(ending):
                    return when
            pause.wait(0.01)
        return None

    def _read(self) -> None:
        with self._path.open(encoding="utf-8", errors="replace") as file:
            while not self._ended.wait(0.001):
                for line in file.readlines():
                    self._lines.append((time.monotonic(), line.rstrip()))


@contextmanager
def logged(client: Dictation, path: Path) -> Iterator[Log]:
    client.start("-m voice_ime --log-level debug desktop")
    log = Log(path)
    log.start()
    try:
        yield log
    finally:
        log.stop()
        client.end()


def recordings(limit: int | None) -> list[bytes]:
    whole = two_cities()
    found = [whole[_at(begin) : _at(end)] for begin, end in CLAUSES_S]
    if MANIFEST.exists():
        short = (clip for clip in clips(MANIFEST, ["read"], ["en"], MOST) if clip.seconds <= LONGEST_S)
        found += [to_pcm16(clip.sound) for clip in short]
    return found[:limit]


def _at(seconds: float) -> int:
    return round(seconds * 16_000) * 2


def from_release(limit: int | None) -> tuple[list[Delay], int, dict[str, float]]:
    """The delays, how many recordings gave no text, and what the client costs while it waits."""
    with private_session(Parts(sound=True)) as session, application(session, GTK3):
        use_engine(session, OTHER_INPUT_METHOD)
        client = Dictation(session)
        with logged(client, session.home / "client.log") as log:
            costs = idle(client)
            measured = [one_delay(session, log, sound) for sound in with_dots(recordings(limit))]
    delays = [one for one in measured if one is not None]
    return delays, len(measured) - len(delays), costs


def one_delay(session: Session, log: Log, sound: bytes) -> Delay | None:
    session.screen.press("Pause")
    session.sound.play(sound)
    released = time.monotonic()
    session.screen.release("Pause")
    tail = log.moment("event: Released", released)
    answered = log.moment("event: Answered", released)
    final = log.moment("event: Heard", released, 0.5)
    if tail is None or answered is None or final is None:
        return None
    verified = log.moment(": verified None", released)
    if verified is None:
        return None
    session.speech.wait_for(lambda said: any(one.at >= final for one in said))
    said = next(one.at for one in session.speech.requests if one.at >= final)
    moments = (one - released for one in (tail, final, verified, said))
    return Delay(len(sound) / 32_000, *moments)


def with_dots(items: Sequence[bytes]) -> Iterator[bytes]:
    for number, item in enumerate(items, 1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(items)} ", end="", file=sys.stderr, flush=True)
        yield item


def report_of(delays: Sequence[Delay]) -> dict[str, Any]:
    return {
        "verified": figures_of([one.verified for one in delays]),
        "said": figures_of([one.said for one in delays]),
        "parts": {
            "tail": figures_of([one.tail for one in delays]),
            "tail_to_final": figures_of([one.final - one.tail for one in delays]),
            "final_to_verified": figures_of([one.verified - one.final for one in delays]),
            "verified_to_said": figures_of([one.said - one.verified for one in delays]),
        },
        "spoken_s": {"total": round(sum(one.sound_s for one in delays), 1)},
    }


# --- insertion by itself


async def insertions(session: Session, program: Program) -> list[tuple[float, Outcome]]:
    """Seconds from the call to the outcome, and what it was. Accessibility is on before the program starts."""
    results = []
    async with hands_in(session) as hands:
        with application(session, program):
            use_engine(session, OTHER_INPUT_METHOD)
            async with hands.inserter("ibus", "atspi", "clipboard") as inserter:
                target = await hands.target()
                for number in range(INSERTIONS):
                    begun = time.perf_counter()
                    outcome = await inserter.insert(target, f"This is utterance {number}, spoken aloud. ")
                    results.append((time.perf_counter() - begun, outcome))
                    await asyncio.sleep(0.1)  # nobody speaks without a pause
    return results


def insertion(program: Program) -> dict[str, Any]:
    with private_session() as session:
        results = asyncio.run(insertions(session, program))
    verified = [seconds for seconds, outcome in results if isinstance(outcome, Inserted) and outcome.verified]
    held = [outcome.reason for _, outcome in results if isinstance(outcome, Held)]
    return figures_of(verified) | {"held": held}


# --- waiting


def idle(client: Dictation) -> dict[str, float]:
    """Client and server, the microphone open and nobody talking."""
    assert client.process is not None
    processes = {"client": [client.process.pid], "server": client.servers()}
    before = {name: sum(map(cpu_s, numbers)) for name, numbers in processes.items()}
    begun = time.monotonic()
    time.sleep(IDLE_S)
    lasted = time.monotonic() - begun
    costs: dict[str, float] = {}
    for name, numbers in processes.items():
        costs[f"{name}_cpu_percent"] = round(100 * (sum(map(cpu_s, numbers)) - before[name]) / lasted, 2)
        costs[f"{name}_rss_mb"] = round(sum(map(rss_bytes, numbers)) / 1e6, 1)
    return costs


def cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def rss_bytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, help="only the first N recordings")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    figures: dict[str, Any] = facts() | {"load_average": round(os.getloadavg()[0], 1)}
    figures["insertion_to_verified"] = {one.name: insertion(one) for one in (GTK3, GTK4, QT5, CHROMIUM)}
    delays, without_text, costs = from_release(arguments.limit)
    figures["load_average_at_end"] = round(os.getloadavg()[0], 1)
    figures |= {"release_to_verified_gtk3": report_of(delays), "recordings_without_text": without_text, "idle": costs}
    tell(figures, arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
