"""The peers, by name. A new one is a file with a class of `base.Peer` and a row."""

import importlib
from dataclasses import dataclass

from benchmarks.peers.base import Peer


@dataclass(frozen=True)
class Row:
    file: str
    """In this folder, without the ending."""
    made_by: str
    """Its class; called with the folder of a model, or None for the one of its own."""


PEERS = {
    "moonshine-voice": Row("moonshine_voice", "MoonshineVoice"),
    "pocketsphinx": Row("pocketsphinx_peer", "Pocketsphinx"),
    "faster-whisper": Row("faster_whisper_peer", "FasterWhisper"),
}


def open_peer(name: str, model: str | None = None) -> Peer:
    """Loads it. ConfigError where its model is missing, ModuleNotFoundError where its package is."""
    row = PEERS[name]
    peer: Peer = getattr(importlib.import_module(f"benchmarks.peers.{row.file}"), row.made_by)(model)
    return peer
