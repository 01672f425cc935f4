"""How long the store of profiles takes, and for how long it lets nobody else run.

    .venv/bin/python -m benchmarks.profiles [--entries 5000] [--json benchmarks/results/profiles.json]

The middle of five runs each. `stall_ms`: the longest that another thread, which wants to run every 2 ms, had to wait.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.start import facts, tell
from voice_ime.personalize.formats import merge, table
from voice_ime.personalize.formats.base import entry_of
from voice_ime.personalize.profile import Profile, Source
from voice_ime.store.base import Author, Put
from voice_ime.store.current import Profiles
from voice_ime.store.sql import SqlStore

RUNS = 5
NAME = "bench"
AUTHOR = Author(Source.IMPORT, "bench")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of `work` in a thread of its own, and the longest that this thread had to wait meanwhile."""
    thread = threading.Thread(target=work)
    longest = 0.0
    begun = time.perf_counter()
    thread.start()
    while thread.is_alive():
        asleep = time.perf_counter()
        time.sleep(0.002)
        longest = max(longest, time.perf_counter() - asleep - 0.002)
    return 1000 * (time.perf_counter() - begun), 1000 * longest


def list_of(count: int) -> bytes:
    """CSV with two sounds for each entry."""
    rows = (f"Kowalski number {number},ko val ski | co wal ski,people" for number in range(count))
    return "\n".join(("written,sounds,tags", *rows, "")).encode()


def run_once(folder: Path, content: bytes) -> dict[str, tuple[float, float]]:
    store = SqlStore(folder / "profiles.sqlite")
    store.create(NAME)
    csv = table.format_named("csv")
    plan = merge.planned(Profile(name=NAME), table.read(content, csv))
    profiles = Profiles(store)
    another = entry_of({"written": "one more"})
    figures = {
        "read_list": timed(lambda: merge.planned(Profile(name=NAME), table.read(content, csv))),
        "keep": timed(lambda: store.apply(NAME, plan.changes, AUTHOR)),
        "read_profile": timed(lambda: profiles.current(NAME)),
        "one_change": timed(lambda: store.apply(NAME, [Put(another)], AUTHOR)),
        "undo_all": timed(lambda: store.undo_since(NAME, BEGINNING, AUTHOR)),
    }
    profiles.current(NAME)
    begun = time.perf_counter()
    for _ in range(1000):
        profiles.current(NAME)
    figures["ask_whether_changed"] = ((time.perf_counter() - begun), 0.0)
    store.close()
    return figures


def measure(count: int) -> dict[str, dict[str, float]]:
    runs = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(run_once(Path(folder), list_of(count)))
    return {
        name: {
            "ms": round(median(run[name][0] for run in runs), 4),
            "stall_ms": round(median(run[name][1] for run in runs), 1),
        }
        for name in runs[0]
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=5000)
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    result: dict[str, Any] = {**facts(), "entries": arguments.entries, "figures": measure(arguments.entries)}
    tell(result, arguments.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
