"""What a folder of model files for sherpa-onnx holds: which kind of model, and which file is what. Loads nothing."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from voice_ime.engine.sherpa_fields import fields, text_field
from voice_ime.errors import ModelDamaged, ModelKindUnknown, ModelNotFound
from voice_ime.settings import SherpaKind

FOLDER = Path("~/voice-ime-models/x-asr-480ms")
"""Where the model is looked for if the settings name no folder."""
_TOKENS = "tokens.txt"
_BPE = ("bpe.vocab", "bpe.model")
_ENDINGS = (".onnx", ".ort")
_METADATA, _KEY, _VALUE = 14, 1, 2
"""Numbers of fields in ONNX files."""


@dataclass(frozen=True)
class KindFacts:
    """What one kind of model is and can do here."""

    parts: tuple[str, ...]
    """The roles of its files."""
    streaming: bool = False
    """Whether it hears sound as it comes, and not whole utterances only."""
    transducer: bool = False
    """Whether encoder, stateless decoder and joiner are apart: then phrases can be made likelier."""
    ctc: bool = False
    ran_here: bool = True
    """False: no model of this kind ever ran where this was written. The call follows the library's documentation."""


_TRANSDUCER = ("encoder", "decoder", "joiner")
KINDS: Mapping[SherpaKind, KindFacts] = {
    "streaming-transducer": KindFacts(_TRANSDUCER, streaming=True, transducer=True),
    "streaming-ctc": KindFacts(("model",), streaming=True, ctc=True),
    "transducer": KindFacts(_TRANSDUCER, transducer=True),
    "ctc": KindFacts(("model",), ctc=True),
    "streaming-paraformer": KindFacts(("encoder", "decoder"), streaming=True, ran_here=False),
    "paraformer": KindFacts(("model",), ran_here=False),
    "sense-voice": KindFacts(("model",), ran_here=False),
    "parakeet-tdt": KindFacts(_TRANSDUCER, ran_here=False),
    "moonshine": KindFacts(("preprocess", "encode", "uncached_decode", "cached_decode"), ran_here=False),
}


@dataclass(frozen=True)
class ModelFolder:
    """A model: its kind and its files."""

    name: str
    kind: SherpaKind
    tokens: Path
    parts: Mapping[str, Path]
    """Role to file."""
    bpe: Path | None
    """The table of word pieces that the library needs to spell phrases in Latin letters; None: not there."""
    family: str
    """What the file says of itself, e.g. zipformer2; empty: nothing."""

    @property
    def facts(self) -> KindFacts:
        return KINDS[self.kind]

    @property
    def damaged(self) -> ModelDamaged:
        return ModelDamaged(model=self.name, file=str(self.tokens.parent), command=command(self.tokens.parent))


def read_folder(folder: Path | None, kind: SherpaKind | None = None) -> ModelFolder:
    """What is in `folder` (`~` is filled in; None: FOLDER); `kind` None: found out from its files.

    ModelNotFound (no such folder, a file is missing), ModelKindUnknown.
    """
    folder = (folder or FOLDER).expanduser()
    tokens = _tokens_file(folder)
    found = _main_graph(folder)
    says = metadata(found) if found is not None else {}
    kind = kind or _kind(folder, says)
    parts = {role: _part(folder, role, kind) for role in KINDS[kind].parts}
    bpe = next((folder / name for name in _BPE if (folder / name).is_file()), None)
    return ModelFolder(folder.name, kind, tokens, parts, bpe, says.get("model_type", ""))


def command(folder: Path) -> str:
    """What gets the model of this name into the models folder."""
    return f"voice-ime models pull {shlex.quote(folder.name)}"


def _missing(folder: Path, where: Path) -> ModelNotFound:
    return ModelNotFound(model=folder.name, where=str(where), command=command(folder))


def _tokens_file(folder: Path) -> Path:
    """tokens.txt, or the one that carries the name of the model before it."""
    found = sorted(folder.glob("*tokens.txt")) if folder.is_dir() else []
    plain = folder / _TOKENS
    if plain in found:
        return plain
    if not found:
        raise _missing(folder, plain if folder.is_dir() else folder)
    return found[0]


def _graphs(folder: Path) -> list[Path]:
    """Files with eight-bit weights first: they are the ones to take on a CPU."""
    files = [path for path in folder.iterdir() if path.suffix in _ENDINGS]
    return sorted(files, key=lambda path: ("int8" not in path.name, path.name))


def _main_graph(folder: Path) -> Path | None:
    """The file that says what the model is."""
    graphs = _graphs(folder)
    encoders = [path for path in graphs if "encode" in path.name]
    return next(iter(encoders or graphs), None)


def _part(folder: Path, role: str, kind: SherpaKind) -> Path:
    graphs = _graphs(folder)
    if role == "decoder" and KINDS[kind].transducer:
        graphs.reverse()  # small, and gains nothing by eight bits
    named = [path for path in graphs if role in path.name and not _is_another(path, role)]
    if not named and role == "model":
        named = graphs[:1]
    if not named:
        raise _missing(folder, folder / f"{role}.onnx")
    return named[0]


def _is_another(path: Path, role: str) -> bool:
    return role == "cached_decode" and "uncached_decode" in path.name


def _kind(folder: Path, says: Mapping[str, str]) -> SherpaKind:
    """By the names of the files and what the main one says of itself."""
    names = " ".join(path.name for path in _graphs(folder))
    family = says.get("model_type", "")
    in_chunks = "decode_chunk_len" in says
    if "joiner" in names:
        if family.startswith("EncDec"):
            return "parakeet-tdt"
        return "streaming-transducer" if in_chunks else "transducer"
    if "uncached_decode" in names:
        return "moonshine"
    if family == "paraformer":
        return "streaming-paraformer" if "encoder" in names else "paraformer"
    if family.startswith("sense_voice"):
        return "sense-voice"
    if family in ("zipformer2_ctc", "zipformer_ctc"):
        return "streaming-ctc" if in_chunks else "ctc"
    if not names:
        raise _missing(folder, folder / "model.onnx")
    raise ModelKindUnknown(where=str(folder), setting="engine.sherpa.kind", known=tuple(KINDS))


# --- ONNX files: what they say of themselves, without reading their weights ---


def metadata(path: Path) -> dict[str, str]:
    """The table of names and values in an ONNX file; empty where it is none."""
    try:
        with path.open("rb") as file:
            entries = fields(file, path.stat().st_size, _METADATA)
            return {text_field(entry, _KEY): text_field(entry, _VALUE) for entry in entries}
    except (OSError, ValueError):
        return {}
