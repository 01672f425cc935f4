"""Every message on the wire, version 1. Needs pydantic only, so that any client can use it.

Text frames are JSON objects with a `type`; binary frames are sound: 8 bytes little-endian, the offset of the first
sample, then 16-bit little-endian samples, mono, 16 kHz. Samples are counted from the start of the session: sample 16000
is one second of *sent* sound. docs/protocol.md shows each message.
"""

import struct
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from voice_ime.errors import BadFrame, BadMessage

VERSION = 1
SAMPLE_RATE = 16_000
PATH = "/v1/dictate"

T = TypeVar("T")

_OFFSET = struct.Struct("<Q")
_MOST_SAMPLES = 1 << 53

Sample = Annotated[int, Field(ge=0, lt=_MOST_SAMPLES)]
"""A position in the session's sound, in samples."""
Caret = Annotated[str, Field(max_length=2000)]


class _FromClient(BaseModel):
    """Unknown fields are refused: a misspelt option must not be ignored silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _FromServer(BaseModel):
    """Unknown fields are ignored: a newer server may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# --- client to server ---


class Hello(_FromClient):
    """The first message. The same `session` after a cut resumes where it was."""

    type: Literal["hello"] = "hello"
    version: int
    session: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    """Made by the client, new for each dictation session, not guessable."""
    resume_from: Sample = 0
    """The end of the last final that the client has kept; it can send everything from here on again."""
    sample_rate: Literal[16_000] = 16_000
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    """The language that will be spoken; None: the engine decides."""
    endpoints: bool = True
    """False: utterances end at `finalize` only (push to talk)."""
    endpoint_delay_s: Annotated[float, Field(ge=0.2, le=3)] | None = None
    """Silence that ends an utterance; None: the server's setting."""
    partials: bool = True
    profile: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] | None = None
    """Whose vocabulary and rules; None: nobody's. What changes in it counts from the next utterance on."""
    messages: Literal["en", "zh"] = "en"
    """Language of the sentences in `error`."""
    client: Annotated[str, Field(max_length=100)] = ""
    """Name and version of the program."""


class Finalize(_FromClient):
    """The key was released: what was said before `sample` is to be answered now.

    Sent again after a cut until `finalized` comes.
    """

    type: Literal["finalize"] = "finalize"
    sample: Sample


class Cancel(_FromClient):
    """Forget what was said from `start` on and before `sample`, and has no final yet. Sent again like `finalize`."""

    type: Literal["cancel"] = "cancel"
    start: Sample
    sample: Sample


class FocusFacts(_FromClient):
    """Facts about the field that has the focus; None: not known."""

    multi_line: bool | None = None
    terminal: bool | None = None
    application: Annotated[str, Field(max_length=200)] | None = None


class Context(_FromClient):
    """What stands around the caret. From it the server decides blanks and capitals."""

    type: Literal["context"] = "context"
    before: Caret = ""
    after: Caret = ""
    focus: FocusFacts = FocusFacts()


class Correction(_FromClient):
    """The person put right what was heard in an utterance."""

    type: Literal["correction"] = "correction"
    utterance: Annotated[str, Field(max_length=100)]
    heard: Caret
    meant: Caret
    how: Literal["edit", "voice", "caretaker"] = "edit"
    """edit: the text was changed where it stood. voice, caretaker: somebody said that it was a mistake."""


class Explain(_FromClient):
    """How is this written, and what else sounds so? For doubtful words, names, and Chinese characters."""

    type: Literal["explain"] = "explain"
    text: Annotated[str, Field(min_length=1, max_length=200)]
    language: Literal["en", "zh"] = "en"


class Kept(_FromClient):
    """The client has this final safely; the server may forget it."""

    type: Literal["kept"] = "kept"
    utterance: Annotated[str, Field(max_length=100)]


class Bye(_FromClient):
    """The dictation session is over and will not be resumed."""

    type: Literal["bye"] = "bye"


# --- server to client ---


class EngineFacts(_FromServer):
    """What the engine can do."""

    engine: str
    languages: tuple[str, ...]
    word_times: Literal["none", "estimated", "aligned"]
    confidence: bool
    alternatives: bool
    scores_text: bool
    takes_phrases: bool = False
    streaming: bool


class Limits(_FromServer):
    max_frame_bytes: int
    max_messages_per_s: int
    max_unkept_finals: int
    longest_utterance_s: float
    resume_s: float


class Ready(_FromServer):
    """The answer to `hello`."""

    type: Literal["ready"] = "ready"
    version: int
    server: str
    """Name and version of the program."""
    session: str
    next_sample: Sample
    """Send sound from here on."""
    resumed: bool
    """True: the server still had this session. False: it starts anew at `next_sample`."""
    capabilities: EngineFacts
    limits: Limits


class Partial(_FromServer):
    """What is being heard. For eyes and braille; never for the application."""

    type: Literal["partial"] = "partial"
    utterance: str
    start_sample: Sample
    stable: str
    """Only ever grows within an utterance."""
    unstable: str
    """The rest; may change."""


class FinalWord(_FromServer):
    text: str
    start_s: float | None
    """Seconds from the start of the session's sound."""
    end_s: float | None
    confidence: float | None
    alternatives: tuple[str, ...]


class Insert(_FromServer):
    """Put `text` at the caret, exactly: blanks and capitals are decided."""

    kind: Literal["insert"] = "insert"
    text: str


class Change(_FromServer):
    """A place where a personal rule or entry changed what was heard, or where an entry may be meant."""

    kind: Literal["rule", "replace", "offer"]
    """offer: `written` does not stand in the text; it can be offered to the person."""
    first_word: int
    """Its words in `words`: from this one..."""
    last_word: int
    """... to this one (exclusive)."""
    heard: str
    written: str
    source: str
    """Id of the rule or entry."""
    distance: float | None
    cost: float | None
    score: float | None


class Timings(_FromServer):
    """How long each stage took, in seconds."""

    endpoint_s: float | None
    """Sound from the end of speech to the endpoint; None where a release or the length ended the utterance."""
    queue_s: float
    """From the arrival of the last sound needed to the start of work."""
    detect_s: float
    encode_s: float
    decode_s: float
    personal_s: float = 0.0
    """Work on the person's vocabulary and rules."""
    final_s: float
    """From the arrival of the last sound needed to this message: the server's share of the final delay."""


class Final(_FromServer):
    """What was said, decided. Sent again after a cut until `kept` comes."""

    type: Literal["final"] = "final"
    utterance: str
    start_sample: Sample
    end_sample: Sample
    """The first sample that is no longer part of this utterance."""
    decided_sample: Sample
    """The sound up to here was needed to decide the endpoint."""
    reason: Literal["endpoint", "finalize", "length"]
    text: str
    """In the person's words, without regard to what stands around the caret."""
    language: str | None
    edits: tuple[Insert, ...]
    """What the client is to do, in order."""
    words: tuple[FinalWord, ...]
    changes: tuple[Change, ...] = ()
    alternatives: tuple[str, ...]
    timings: Timings


class Finished(_FromServer):
    """Nothing before `sample` will be asked for again: it was silence, or its final was kept."""

    type: Literal["finished"] = "finished"
    sample: Sample


class Finalized(_FromServer):
    """All finals for the sound before `sample` have been sent (perhaps none: nothing was heard)."""

    type: Literal["finalized"] = "finalized"
    sample: Sample


class Cancelled(_FromServer):
    type: Literal["cancelled"] = "cancelled"
    sample: Sample


class CorrectionTaken(_FromServer):
    """The answer to `correction`."""

    type: Literal["correction_taken"] = "correction_taken"
    utterance: str
    kept: bool
    """Whether it changes what will be heard from now on."""
    say: str = ""
    """A sentence for the person where something is new, e.g. "From now on I write Kowalski when I hear kowalsky."."""


class Rival(_FromServer):
    """Another way to write what sounds the same."""

    text: str
    source: str
    """Id of the entry; empty: a word of the language."""
    sentences: tuple[str, ...]
    """How it is written."""


class Explained(_FromServer):
    """The answer to `explain`. Sentences are fit to be spoken."""

    type: Literal["explained"] = "explained"
    text: str
    source: str = ""
    """Id of the entry that is written so; empty: none."""
    sentences: tuple[str, ...]
    rivals: tuple[Rival, ...]


class Error(_FromServer):
    """Something is wrong. `message` and `remedy` are fit to be spoken."""

    type: Literal["error"] = "error"
    code: str
    message: str
    remedy: str
    fatal: bool
    """The connection ends."""
    expected_sample: Sample | None = None
    """Where sound was missing: send from here."""


ClientMessage = Annotated[
    Hello | Finalize | Cancel | Context | Correction | Explain | Kept | Bye,
    Field(discriminator="type"),
]
ServerMessage = Annotated[
    Ready | Partial | Final | Finished | Finalized | Cancelled | CorrectionTaken | Explained | Error,
    Field(discriminator="type"),
]

_client_messages: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)
_server_messages: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


def read_client_message(text: str | bytes) -> ClientMessage:
    """BadMessage tells which fields are wrong, never what stood in them."""
    return _read(_client_messages, text)


def read_server_message(text: str | bytes) -> ServerMessage:
    return _read(_server_messages, text)


@dataclass(frozen=True)
class Wishes:
    """What a `hello` of any version asks for, so that one that is refused gets a clear answer."""

    version: int
    sample_rate: int = SAMPLE_RATE
    messages: Literal["en", "zh"] | None = None
    """None: it does not tell, or makes no sense."""


def wishes(text: str) -> Wishes | None:
    """None: no `hello`. What makes no sense in it is as if it were not there."""
    try:
        hello = _AnyHello.model_validate_json(text)
    except ValidationError:
        return None
    rate = hello.sample_rate if type(hello.sample_rate) is int else SAMPLE_RATE
    return Wishes(hello.version, rate, hello.messages if hello.messages in ("en", "zh") else None)


class _AnyHello(BaseModel):
    type: Literal["hello"]
    version: int
    sample_rate: Any = None
    messages: Any = None


def _read(messages: "TypeAdapter[T]", text: str | bytes) -> T:
    try:
        return messages.validate_json(text)
    except ValidationError as error:
        raise BadMessage(detail=_where(error)) from None


def _where(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    known = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]  # its name may be anything
    place = ".".join(str(part) for part in known)
    return f"{place}: {first['type']}" if place else str(first["type"])


# --- sound ---


@dataclass(frozen=True)
class AudioFrame:
    offset: int
    """Position of the first sample in the session's sound."""
    pcm: bytes
    """16-bit little-endian samples, mono, 16 kHz."""

    @property
    def samples(self) -> int:
        return len(self.pcm) // 2

    @property
    def end(self) -> int:
        return self.offset + self.samples


def write_audio(frame: AudioFrame) -> bytes:
    return _OFFSET.pack(frame.offset) + frame.pcm


def read_audio(data: bytes) -> AudioFrame:
    """BadFrame where the offset or the last sample is not whole."""
    if len(data) < _OFFSET.size or (len(data) - _OFFSET.size) % 2:
        raise BadFrame(size=len(data))
    (offset,) = _OFFSET.unpack_from(data)
    if offset >= _MOST_SAMPLES:
        raise BadFrame(size=len(data))
    return AudioFrame(offset, data[_OFFSET.size :])
