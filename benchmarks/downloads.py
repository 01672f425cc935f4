"""Downloads of models that go wrong: is a wrong model ever accepted, does anything stay behind?

    .venv/bin/python -m benchmarks.downloads [--count 200] [--seed 1] [--json benchmarks/results/downloads.json]

Each trial is `voice-ime models pull` in a process of its own against a server on loopback that plays hub, mirror and
release archive, and that cuts, dawdles, sends wrong, short or long files, login pages or hostile archives, by a seed.
In some trials the disk is full (a small file system of its own where we may mount one, else a limit on file sizes), in
some the process gets SIGKILL: at a given byte, or after a random time. Then: what is in the model's place must be the
right model, or the one that was there before, or nothing; after the next start (`voice-ime models list`) nothing may be
left of the download; and a next download without faults must bring the right model.

Wrong bytes are only sent where something can know better: a checksum in the list, in an earlier record or in what the
hub announces, or the archive's own. A first download of a file of which nobody knows anything is trusted; that is what
the person is told then.
"""

import argparse
import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import tomlkit

from benchmarks.start import facts, tell
from tests.server.hub import Fault, Hub, Kind, archive_of, serving
from voice_ime.commands import ExitCode
from voice_ime.models.manifest import Manifest, Model, read_manifest
from voice_ime.models.network import Network, Patience
from voice_ime.models.pull import Puller
from voice_ime.models.shelf import FETCHING, RECORD, Shelf

Trouble = Literal["cut", "slow", "wrong", "hostile", "full_disk", "kill"]
TROUBLES: tuple[Trouble, ...] = ("cut", "slow", "wrong", "hostile", "full_disk", "kill")
FAULTS: dict[str, tuple[Kind, ...]] = {
    "cut": ("cut", "no_length", "garbage", "busy", "loop", "ignore_range", "wrong_range"),
    "slow": ("stand_still", "crawl"),
    "wrong": ("wrong_bytes", "too_short", "too_long", "wrong_length", "page", "missing"),
}
SILENCE_S = 0.4
LONGEST_S = 60
USUAL_S = 1.2
"""A pull without faults takes about so long; random kills are spread over it."""
Files = dict[str, bytes]


@dataclass(frozen=True)
class Trial:
    """What is tried."""

    number: int
    trouble: Trouble
    source: Literal["hub", "mirror", "archive", "all"]
    known: bool
    """Whether the list has the checksums."""
    replaces: bool
    """Whether another version of the model is there before."""
    faults: tuple[Fault, ...]
    hostile: str = ""
    room: int = 0
    """Bytes of a full disk."""
    kill_after_s: float | None = None
    size: int = 0


@dataclass
class Outcome:
    trial: Trial
    status: int = 0
    accepted_wrong: bool = False
    lost_old: bool = False
    left_after_end: bool = False
    """Something lay in the temporary folder right after the process ended; allowed after SIGKILL only."""
    left_after_next_start: bool = False
    next_download_failed: bool = False
    internal_fault: bool = False
    """It ended by a fault of ours instead of an error that it knows."""
    silent: bool = False
    """It failed without saying why."""
    seconds: float = 0.0
    got: bool = False
    """The right model was there in spite of the faults."""
    wrong_names: list[str] = field(default_factory=list)


def trial_of(number: int, chance: random.Random) -> Trial:
    trouble = TROUBLES[number % len(TROUBLES)]
    source: Any = chance.choice(("hub", "mirror", "archive", "all"))
    known = chance.random() < 0.6
    if trouble == "hostile":
        source = "archive"
    if trouble == "wrong" and source in ("mirror", "all"):
        known = True
    faults = tuple(
        Fault(chance.choice(FAULTS[trouble]), chance.random()) for _ in range(chance.choice((1, 2, 3, 8, 40)))
    ) if trouble in FAULTS else ()  # fmt: skip
    size = chance.randrange(60_000, 900_000)
    timed = trouble == "kill" and chance.random() < 0.5
    if trouble == "kill" and not timed:
        faults = (*([Fault("cut", chance.random())] * chance.randrange(2)), Fault("kill", chance.random()))
    return Trial(
        number, trouble, source, known, chance.random() < 0.3, faults,
        hostile=chance.choice(("outside", "absolute", "link", "device", "bomb", "broken", "short")),
        room=int(size * chance.uniform(0.05, 1.0)),
        kill_after_s=chance.uniform(0.2, USUAL_S) if timed else None,
        size=size,
    )  # fmt: skip


# --- what is served ---------------------------------------------------------------------------------------------------


def files_of(trial: Trial, version: int) -> Files:
    chance = random.Random(f"{trial.number} {version}")
    return {"encoder.onnx": chance.randbytes(trial.size), "tokens.txt": chance.randbytes(2000)}


def model_of(trial: Trial, files: Files, hub: Hub) -> Model:
    import hashlib

    sources: dict[str, Any] = {
        "hub": {"kind": "hub", "repository": "ann/small"},
        "mirror": {"kind": "mirror", "url": f"{hub.address}/mirror"},
        "archive": {"kind": "archive", "url": f"{hub.address}/small.tar.bz2"},
    }
    entries = [
        {"name": name, "role": "part"}
        | ({"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()} if trial.known else {})
        for name, body in files.items()
    ]
    return Model.model_validate(
        {
            "id": "small", "name": "Small", "engine": "whisper", "languages": ["en"], "streaming": False,
            "licence": {"name": "MIT", "commercial": "yes"}, "supports": {}, "files": entries,
            "checksums_from": "this benchmark" if trial.known else "",
            "sources": [sources[trial.source]] if trial.source != "all" else list(sources.values()),
        }
    )  # fmt: skip


def stock(hub: Hub, files: Files) -> None:
    hub.files.clear()
    hub.add_hub("ann/small", files)
    hub.add_mirror("mirror", files)
    hub.add_archive("small.tar.bz2", files)


def spoil(hub: Hub, kind: str, files: Files) -> None:
    """Puts a hostile archive in the place of the good one."""
    odd = {
        "outside": part("../../evil"),
        "absolute": part("/tmp/evil"),
        "link": part("inside/encoder.onnx", tarfile.SYMTYPE, "/etc/passwd"),
        "device": part("inside/device", tarfile.CHRTYPE),
    }
    whole = hub.files["/small.tar.bz2"]
    if kind in odd:
        whole = archive_of({f"inside/{name}": body for name, body in files.items()}, [odd[kind]])
    elif kind == "bomb":
        whole = archive_of({"inside/zeros": bytes(100_000_000)} | files)
    elif kind == "broken":
        whole = whole[: len(whole) // 2] + bytes(100) + whole[len(whole) // 2 + 100 :]
    else:
        whole = whole[: len(whole) // 3]
    hub.files["/small.tar.bz2"] = whole


def part(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


# --- one trial --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """The home of one trial."""

    home: Path

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def config(self) -> Path:
        return self.home / "settings.toml"

    def write(self, model: Model) -> None:
        manifest = Manifest(model=(model,)).model_dump(mode="json", exclude_none=True)
        (self.home / "list.toml").write_text(tomlkit.dumps(manifest))
        settings = {
            "models": {
                "folder": str(self.models), "catalogue": str(self.home / "list.toml"), "pause_s": 0,
                "tries": 3, "silence_s": SILENCE_S,
            }
        }  # fmt: skip
        self.config.write_text(tomlkit.dumps(settings))

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "voice_ime", "models", *words, "--config", str(self.config)]


def attempt(trial: Trial, home: Path, hub: Hub) -> Outcome:
    outcome, place = Outcome(trial), Place(home)
    old, new = files_of(trial, 1), files_of(trial, 2)
    hub.faults, hub.linked, hub.tags = [], False, True
    with disk(trial, place.models):
        if trial.replaces and trial.trouble != "full_disk":
            stock(hub, old)
            pull_well(model_of(trial, old, hub), place, hub)
        stock(hub, new)
        hub.linked = not trial.known
        model = model_of(trial, new, hub)
        if trial.replaces and not trial.known:
            Shelf(place.models).forget_checksums(model)
            with contextlib.suppress(OSError):
                (place.models / "small" / "tokens.txt").unlink()  # so that it is to be fetched anew
        place.write(model)
        if trial.trouble == "hostile":
            spoil(hub, trial.hostile, new)
        hub.faults = list(trial.faults)
        run(trial, place, hub, outcome)
        look(trial, place, old, new, outcome)
    outcome.next_download_failed = not goes_well_next(trial, place, hub, new)
    return outcome


def pull_well(model: Model, place: Place, hub: Hub) -> None:
    patience = Patience(tries=3, pause_s=0, silence_s=5)
    Puller(Shelf(place.models), Network(hub.address, patience=patience), Silent()).pull(model)


class Silent:
    def begin(self, megabytes: int | None) -> None:
        pass

    def source(self, where: str) -> None:
        pass

    def at(self, file: str, have: int) -> None:
        pass

    def again(self, where: str, from_bytes: int) -> None:
        pass

    def checking(self) -> None:
        pass


def run(trial: Trial, place: Place, hub: Hub, outcome: Outcome) -> None:
    limit = trial.room if trial.trouble == "full_disk" and os.geteuid() != 0 else None
    environment = dict(os.environ) | {"HF_ENDPOINT": hub.address, "HOME": str(place.home), "LC_ALL": "C.UTF-8"}
    began = time.monotonic()
    with subprocess.Popen(
        place.command("pull", "small"), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        if limit is not None:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        hub.kill = process.kill
        timer = threading.Timer(trial.kill_after_s or LONGEST_S, process.kill)
        timer.start()
        _, said = process.communicate()
        timer.cancel()
    outcome.seconds = round(time.monotonic() - began, 2)
    outcome.status = process.returncode
    outcome.internal_fault = process.returncode == ExitCode.INTERNAL
    outcome.silent = process.returncode > 0 and len(said.splitlines()) < 2


def look(trial: Trial, place: Place, old: Files, new: Files, outcome: Outcome) -> None:
    """What the process left, before and after the next start."""
    killed = outcome.status == -signal.SIGKILL
    outcome.left_after_end = (place.models / FETCHING).exists() and not killed
    listed = subprocess.run(place.command("list"), env=dict(os.environ) | {"HOME": str(place.home)}, check=False,
                            capture_output=True)  # fmt: skip
    left = [path.name for path in place.models.glob(".*")] if place.models.exists() else []
    outcome.left_after_next_start = bool(left) or listed.returncode != 0
    there = contents(place.models / "small")
    outcome.got = there == new
    had_old = trial.replaces and trial.trouble != "full_disk"
    was = old if trial.known else {name: body for name, body in old.items() if name != "tokens.txt"}
    outcome.accepted_wrong = there not in (None, new) and not (had_old and there == was)
    outcome.lost_old = had_old and there not in (new, was)
    if outcome.status == 0:
        outcome.accepted_wrong |= there != new
    evil = [path for path in (Path("/tmp/evil"), place.home / "evil", place.home.parent / "evil") if path.exists()]
    outcome.wrong_names = [str(path) for path in evil]


def contents(folder: Path) -> Files | None:
    """None: there is no such model."""
    if not folder.is_dir():
        return None
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != RECORD}


def goes_well_next(trial: Trial, place: Place, hub: Hub, new: Files) -> bool:
    stock(hub, new)
    hub.faults = []
    pull_well(model_of(trial, new, hub), place, hub)
    return contents(place.models / "small") == new and not (place.models / FETCHING).exists()


@contextlib.contextmanager
def disk(trial: Trial, folder: Path) -> Iterator[None]:
    """A file system of its own that is too small, where the trial wants one and we may mount."""
    folder.mkdir()
    if trial.trouble != "full_disk" or os.geteuid() != 0:
        yield
        return
    size = f"size={max(8192, trial.room)}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


# --- all of them ------------------------------------------------------------------------------------------------------


def measure(count: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder, serving(Hub(still_s=1.5)) as hub:
        for number in range(count):
            home = Path(folder) / str(number)
            home.mkdir()
            outcomes.append(attempt(trial_of(number, chance), home, hub))
            shutil.rmtree(home)
            if (number + 1) % 10 == 0:
                print(f"{number + 1} of {count}", file=sys.stderr, flush=True)
    return figures(outcomes)


BAD = (
    "accepted_wrong",
    "lost_old",
    "left_after_end",
    "left_after_next_start",
    "next_download_failed",
    "internal_fault",
    "silent",
)


def figures(outcomes: list[Outcome]) -> dict[str, Any]:
    bad = [one for one in outcomes if any(getattr(one, name) for name in BAD) or one.wrong_names]
    return {
        "downloads": len(outcomes),
        "by_trouble": dict(Counter(one.trial.trouble for one in outcomes)),
        "right_model_in_spite_of_it": sum(one.got for one in outcomes),
        "refused_or_failed": sum(one.status > 0 for one in outcomes),
        "killed": sum(one.status < 0 for one in outcomes),
        **{name: sum(getattr(one, name) for one in outcomes) for name in BAD},
        "written_outside": sum(bool(one.wrong_names) for one in outcomes),
        "not_well": [asdict(one) for one in bad],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    read_manifest()
    told = measure(arguments.count, arguments.seed)
    tell({"bench": "downloads", "seed": arguments.seed} | told | {"about": facts()}, arguments.json)


if __name__ == "__main__":
    main()
