"""A peer in a process of its own, so that what it uses can be told from what the player uses.

Reads one run as a line of JSON, plays it in real time, a thread for each speaker, and answers with a line of JSON.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.live import BLOCK, BLOCK_S, Played, Said, Track, Usage, memory_mb
from benchmarks.peers.base import Peer, PeerStream, Told
from benchmarks.peers.table import open_peer
from benchmarks.recordings import Clip
from voice_ime.engine.base import Samples
from voice_ime.errors import ConfigError

READY = "ready"
"""The first line of a peer that can be played to. Otherwise it is the JSON of what is wrong."""


class _Speaker(threading.Thread):
    """One track being spoken to one stream."""

    def __init__(self, stream: PeerStream, track: Track, begun: float) -> None:
        super().__init__(daemon=True)
        self.said: list[Said] = []
        self.late_s = 0.0
        self._stream = stream
        self._track = track
        self._sound: Samples = track.sound
        self.sent_s = len(self._sound) / BLOCK * BLOCK_S
        self._began = begun + track.start_s

    def run(self) -> None:
        for number in range(len(self._sound) // BLOCK):
            due_s = (number + 1) * BLOCK_S
            wait = due_s - self._now()
            if wait > 0 and self._track.paced:
                time.sleep(wait)
            self._note(self._stream.feed(self._sound[BLOCK * number : BLOCK * (number + 1)]), due_s)
        released = len(self._sound) / BLOCK * BLOCK_S
        self._note(self._stream.stop(), released, "finalize")
        if self._track.release:
            self.said.append(Said("released", "", at_s=released))
        self._stream.close()

    def _note(self, told: Iterable[Told], due_s: float, reason: str = "endpoint") -> None:
        now = self._now()
        self.said += [
            Said(each.kind, each.text, now, each.utterance, due_s, each.start_s, each.end_s, reason, each.work_s)
            for each in told
        ]

    def _now(self) -> float:
        return time.monotonic() - self._began


def play(peer: Peer, tracks: Sequence[Track]) -> Played:
    usage = Usage(os.getpid())
    begun = time.monotonic() + 0.2
    speakers = [_Speaker(peer.stream(), track, begun) for track in tracks]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join()
    peak, now = memory_mb(os.getpid())
    return Played(
        said=tuple(tuple(speaker.said) for speaker in speakers),
        sound_s=sum(speaker.sent_s for speaker in speakers),
        cpu_s=usage.cpu_s,
        peak_rss_mb=peak,
        rss_mb=now,
    )


def write_tracks(tracks: Sequence[Track]) -> str:
    return json.dumps([asdict(track) for track in tracks], default=str)


class Shelf:
    """Gives the same object for the same recording, so that it is read once."""

    def __init__(self) -> None:
        self._clips: dict[str, Clip] = {}

    def tracks(self, text: str) -> list[Track]:
        """What `write_tracks` has written."""
        return [Track(**row | {"clips": tuple(map(self._clip, row["clips"]))}) for row in json.loads(text)]

    def _clip(self, row: dict[str, Any]) -> Clip:
        return self._clips.setdefault(row["path"], Clip(**row | {"path": Path(row["path"])}))


def write_played(played: Played) -> str:
    return json.dumps(asdict(played))


def read_played(text: str) -> Played:
    row = json.loads(text)
    return Played(**row | {"said": tuple(tuple(Said(**each) for each in said) for said in row["said"]),
                           "errors": tuple(row["errors"])})  # fmt: skip


def main() -> None:
    name, model = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    try:
        peer, shelf = open_peer(name, model), Shelf()
    except ConfigError as error:
        print(json.dumps(error.values), file=answers, flush=True)
        return
    print(READY, file=answers, flush=True)
    for line in sys.stdin:
        print(write_played(play(peer, shelf.tracks(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
