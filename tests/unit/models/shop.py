"""A small list of models, what they are made of, and somebody who fetches them and hears what is said."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.server.hub import Hub
from voice_ime.models.manifest import Model
from voice_ime.models.network import Network, Patience
from voice_ime.models.pull import Puller
from voice_ime.models.shelf import Shelf

QUICK = Patience(tries=3, pause_s=0, silence_s=0.3, progress_bytes=1000)
CONTENT = {"model.onnx": bytes(range(256)) * 400, "tokens.txt": b"one 1\ntwo 2\n"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def model_of(*sources: dict[str, Any], known: bool = True, sizes: bool = True, **more: Any) -> Model:
    """`known`: its checksums are in the list."""
    files = [
        {"name": name, "role": "part"}
        | ({"bytes": len(content)} if sizes else {})
        | ({"sha256": sha256(content)} if known else {})
        for name, content in CONTENT.items()
    ]
    plain = {
        "id": "small",
        "name": "Small",
        "engine": "whisper",
        "languages": ["en"],
        "streaming": False,
        "licence": {"name": "MIT", "commercial": "yes"},
        "supports": {},
        "files": files,
        "sources": list(sources),
    }
    return Model.model_validate(plain | more)


def from_hub(hub: Hub, **more: Any) -> Model:
    hub.add_hub("ann/small", CONTENT)
    return model_of({"kind": "hub", "repository": "ann/small"}, **more)


@dataclass
class Listener:
    """Keeps what a download tells."""

    sources: list[str] = field(default_factory=list)
    again_at: list[int] = field(default_factory=list)
    most: dict[str, int] = field(default_factory=dict)

    def begin(self, megabytes: int | None) -> None:
        pass

    def source(self, where: str) -> None:
        self.sources.append(where)

    def at(self, file: str, have: int) -> None:
        self.most[file] = have

    def again(self, where: str, from_bytes: int) -> None:
        self.again_at.append(from_bytes)

    def checking(self) -> None:
        pass


@dataclass
class Heard:
    """Keeps what a voice said."""

    said: list[str] = field(default_factory=list)
    progressed: list[str] = field(default_factory=list)
    """Of that, how far something was."""

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def progress(self, sentence: str) -> None:
        self.said.append(sentence)
        self.progressed.append(sentence)

    def quiet(self) -> None:
        self.said.append("(quiet)")


def puller(folder: Path, hub: Hub, listener: Listener | None = None) -> Puller:
    return Puller(Shelf(folder), Network(hub.address, patience=QUICK), listener or Listener())


def left_over(folder: Path) -> list[str]:
    """What lies in the models folder that belongs to no model."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if ".fetching" in path.parts)
