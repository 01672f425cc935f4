"""The peers, by name. A new one is a file with a class of `base.Peer` and a row."""

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.base import Peer
from voice_ime.errors import ConfigError
from voice_ime.messages import Messages


@dataclass(frozen=True)
class Row:
    file: str
    """In this folder, without the ending."""
    made_by: str
    """Its class; called with the folder of a model, or None for the one of its own."""
    package: str
    """What it imports."""
    model_file: str = ""
    """What the folder of its model must hold; empty: its package brings a model, and no other is taken."""


PEERS = {
    "moonshine-voice": Row("moonshine_voice", "MoonshineVoice", "moonshine_voice"),
    "pocketsphinx": Row("pocketsphinx_peer", "Pocketsphinx", "pocketsphinx"),
    "faster-whisper": Row("faster_whisper_peer", "FasterWhisper", "faster_whisper", "model.bin"),
}


def check(name: str, model: Path | None, messages: Messages) -> None:
    """Before anything is measured: ModuleNotFoundError where its package is missing, ConfigError where its model is."""
    row = PEERS[name]
    if importlib.util.find_spec(row.package) is None:
        raise ModuleNotFoundError(name=row.package)
    if row.model_file and (model is None or not (model / row.model_file).is_file()):
        detail = messages("bench.no_peer_model", peer=name, file=row.model_file)
        raise ConfigError(where="--peer-model", detail=detail)


def model_of(name: str, folder: Path | None) -> str | None:
    """The folder for `open_peer`, if `folder` is given and meant for this peer."""
    return str(folder) if folder and PEERS[name].model_file else None


def open_peer(name: str, model: str | None = None) -> Peer:
    """Loads it. ConfigError where its model is of no use."""
    row = PEERS[name]
    peer: Peer = getattr(importlib.import_module(f"benchmarks.peers.{row.file}"), row.made_by)(model)
    return peer
