"""The list of models, catalogue.toml: where each comes from, what it is made of, what it can do, what is known of it.

None stands for what nobody knows; nothing in the list is a guess.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from voice_ime.errors import ModelUnknown

MANY = "many"
"""In `Model.languages`: most languages that people speak, English and Mandarin among them."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._+-]{0,119}$")]
"""A plain name, never a path: it becomes the name of a file in the models folder."""
Url = Annotated[str, Field(pattern=r"^https?://\S+[^/\s]$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Entry):
    name: FileName
    role: str
    """What the engine uses it for, e.g. encoder or tokens."""
    bytes: int | None = Field(None, ge=0)
    sha256: Sha256 | None = None
    """None: recorded at the first download, on trust."""


class HubSource(_Entry):
    """A repository of a model hub, which `hub` of the settings or HF_ENDPOINT may replace by a mirror."""

    kind: Literal["hub"]
    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = "main"

    def address(self, hub: str) -> str:
        """Where each file lies under its name. `hub`: the address of the hub, without a slash at its end."""
        return f"{hub}/{self.repository}/resolve/{quote(self.revision, safe='')}"


class MirrorSource(_Entry):
    """A place where each file lies under its name."""

    kind: Literal["mirror"]
    url: Url

    def address(self, hub: str) -> str:
        return self.url


class ArchiveSource(_Entry):
    """One tar archive, compressed with bzip2, gzip or xz, that holds the files, directly or in one folder."""

    kind: Literal["archive"]
    url: Url
    bytes: int | None = Field(None, ge=0)
    sha256: Sha256 | None = None


Source = Annotated[HubSource | MirrorSource | ArchiveSource, Field(discriminator="kind")]


class Licence(_Entry):
    name: str
    commercial: Literal["yes", "attribution", "no", "unclear"]
    """Whether it may be used for money; attribution: if its makers are named."""
    note: str = ""


class Supports(_Entry):
    """What the model can do; None: unknown."""

    biasing: Literal["hotwords", "keyterms", "scores", "none"] | None = None
    """How words can be made likelier: given to the decoder as a graph or prompt, as a bonus, or by scoring texts."""
    confidence: bool | None = None
    punctuation: bool | None = None
    word_times: bool | None = None


class Figure(_Entry):
    """One published figure. Nothing of it was measured here unless `source` says so."""

    what: Literal[
        "wer_librispeech_clean",
        "wer_openasr",
        "cer_wenetspeech_net",
        "cer_wenetspeech_meeting",
        "cer_zh_184",
        "rtf",
        "final_ms_x86",
    ]
    """wer and cer: errors in percent; rtf: work as a part of the sound's duration; final_ms_x86: milliseconds."""
    value: float
    source: str


class Model(_Entry):
    """One model."""

    id: str = Field(pattern="^[a-z0-9][a-z0-9.-]{1,63}$")
    """What people type, and the name of its folder."""
    name: str
    """What people hear: a proper name, the same in every language."""
    engine: str
    """Row of the table of engines; it may be one that this version does not have."""
    settings: Mapping[str, str | int | bool | tuple[str, ...]] = {}
    """What the engine's settings must say besides the folder."""
    languages: tuple[str, ...] = Field(min_length=1)
    """ISO 639 codes, or MANY."""
    mixed: bool = False
    """Whether languages may change within a sentence."""
    streaming: bool
    """Whether it hears while one speaks; else whole utterances only."""
    comes_with: str | None = None
    """The package that holds it, as it is installed; such a model is not fetched."""
    ran_here: bool = False
    """Whether it was ever run by those who make voice-ime."""
    files: tuple[File, ...] = Field(min_length=1)
    about_mb: int | None = None
    """Megabytes by a published figure, where the files' own sizes are not all known."""
    about_mb_from: str = ""
    """Where that figure is from."""
    checksums_from: str = ""
    licence: Licence
    supports: Supports
    figures: tuple[Figure, ...] = ()
    sources: tuple[Source, ...] = ()
    """In the order in which they are tried."""

    @property
    def known_bytes(self) -> int | None:
        """Of all files together; None where one is unknown."""
        sizes = [file.bytes for file in self.files if file.bytes is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None

    @property
    def megabytes(self) -> int | None:
        """On the disk, as it is told to people; None: unknown."""
        known = self.known_bytes
        return self.about_mb if known is None else max(1, round(known / 1e6))

    def hears(self, language: str) -> bool:
        return language in self.languages or MANY in self.languages


class Choice(_Entry):
    """A model that is recommended to people who dictate in exactly these languages; MANY: in any others."""

    model: str
    languages: tuple[str, ...]
    least_cores: int = 1
    least_memory_mb: int = 2000


class Manifest(_Entry):
    model: tuple[Model, ...]
    choice: tuple[Choice, ...] = ()
    """The best first."""

    def get(self, name: str) -> Model:
        """ModelUnknown."""
        for model in self.model:
            if model.id == name:
                return model
        raise ModelUnknown(model=name, known=tuple(model.id for model in self.model))


def read_manifest(text: str | None = None) -> Manifest:
    """The list that comes with voice-ime, or that in `text` (TOML)."""
    if text is None:
        text = files(__package__).joinpath("catalogue.toml").read_text("utf-8")
    return Manifest.model_validate(tomllib.loads(text))
