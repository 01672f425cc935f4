"""The one tree of settings: built once, at the edge, and handed inward. Nothing else reads the settings file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from voice_ime.errors import ConfigError


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MoonshineSettings(_Settings):
    """The embedded English engine."""

    folder: Path | None = None
    """Folder of the model files; None: those inside the package moonshine-voice."""
    threads: int = Field(2, ge=1, le=64)
    """Threads of one run of the encoder."""
    word_times: bool = False
    """Find out when each word was said by asking the decoder about parts of the sound: takes as long again as hearing
    it. Otherwise times come from partials, where there are some, and are half as exact."""
    beam_size: int = Field(1, ge=1, le=16)
    """Texts that are followed at a time for a final; 1: greedy, with drafts. 4 makes finals
    wait twice as long; that it hears better is not proven."""


class WhisperSettings(_Settings):
    """faster-whisper on a local model folder."""

    folder: Path | None = None
    """Folder in CTranslate2's format; None: ~/voice-ime-models/faster-whisper-small."""
    threads: int = Field(0, ge=0, le=64)
    """0: as many as a trial at the first start finds fastest."""
    compute_type: str = "auto"
    """Kind of computation, such as "int8" or "float32"; auto: what that trial finds fastest."""
    speed_file: Path | None = None
    """Where the outcome of the trial is kept; None: it is made at each start."""
    beam_size: int = Field(3, ge=1, le=16)
    """Texts that are followed at a time for a final; at least one more than `alternatives`."""
    alternatives: int = Field(2, ge=0, le=5)
    """Other texts that a final comes with, at most."""
    least_window_s: float = Field(10.0, ge=1, le=30)
    """Sound is heard in a window of its own length and some seconds, but no shorter than this; 30: always of 30 s."""
    languages: tuple[str, ...] = ()
    """Languages that are looked for where none is asked for, as ISO 639-1 codes; empty: all that the model knows."""


SherpaKind = Literal[
    "streaming-transducer",
    "streaming-ctc",
    "transducer",
    "ctc",
    "streaming-paraformer",
    "paraformer",
    "sense-voice",
    "parakeet-tdt",
    "moonshine",
]


class SherpaSettings(_Settings):
    """sherpa-onnx on a local model folder."""

    folder: Path | None = None
    """Folder of the model files; None: that of the recommended model for Mandarin and English in ~/voice-ime-models."""
    kind: SherpaKind | None = None
    """What kind of model it is; None: found out from its files."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes; empty: those that its tokens can write, of Chinese and English."""
    threads: int = Field(2, ge=1, le=64)
    paths: int = Field(8, ge=1, le=32)
    """Transducers: texts that are weighed at a time. With one only, phrases cannot be made likelier."""
    phrase_score: float = Field(2.0, ge=0, le=10)
    """Transducers: what each character or piece of a phrase is worth, in nats."""
    ctc_confidence: bool = True
    """CTC models: say how sure each word is. The model then runs once more over the sound at the end."""
    check_s: float = Field(120, gt=0, le=3600)
    """Longest time for trying the model out in a process of its own before it is loaded."""

    def with_model(self, folder: Path) -> Self:
        """The same for the model in `folder`: what is said here of another one does not hold for it."""
        if folder == self.folder:
            return self
        return self.model_copy(update={"folder": folder, "kind": None, "languages": ()})


class MoonshineStreamingSettings(_Settings):
    """Moonshine's streaming models through the library moonshine-voice."""

    folder: Path | None = None
    """Folder of the model files; None: that of the model's name in ~/voice-ime-models."""
    kind: Literal["tiny-streaming", "small-streaming", "medium-streaming", "tiny"] = "small-streaming"
    """Which model is in the folder. tiny: the one inside the package, which does not stream."""


class ScriptSettings(_Settings):
    """The engine that "hears" a given text: for tests and demonstrations."""

    lines: tuple[str, ...] = ("This was not recognised: the script engine says what it was told to say.",)
    """The text of the first utterance, of the second, ...; then from the first again."""
    decode_s: float = Field(0.0, ge=0, le=60)
    """Seconds that each decoding takes, to try slow engines."""


class OneEngineSettings(_Settings):
    """One engine with its model."""

    name: str
    """Row of the catalogue."""
    moonshine: MoonshineSettings = MoonshineSettings()
    whisper: WhisperSettings = WhisperSettings()
    sherpa: SherpaSettings = SherpaSettings()
    moonshine_streaming: MoonshineStreamingSettings = MoonshineStreamingSettings()
    script: ScriptSettings = ScriptSettings()

    def filled(self, **whisper: Any) -> Self:
        """The same with these values for Whisper where it has none of its own."""
        missing = {name: value for name, value in whisper.items() if not getattr(self.whisper, name)}
        return self.model_copy(update={"whisper": self.whisper.model_copy(update=missing)})


class RouteSettings(_Settings):
    """Who hears an utterance. Names are keys of `engine.others` or rows of the catalogue."""

    name: str
    final: str = ""
    """Hears the finals, while `name` hears the partials; empty: `name` hears both."""


class EngineSettings(OneEngineSettings):
    name: str = "moonshine-tiny-en"
    """Row of the catalogue."""
    final: str = ""
    """Name of a second engine, which hears the finals; empty: the first one hears them, too. A key of `others` or a row
    of the catalogue."""
    by_language: Mapping[str, RouteSettings] = {}
    """Who hears the utterances of a language (ISO 639-1 code) in place of `name` and `final`. Where nobody says which
    language will be spoken, those hear it first, and if they tell it to be one of these, its engine writes it."""
    others: Mapping[str, OneEngineSettings] = {}
    """Further engines, under names of one's own other than `name`: for `final`, `by_language` and the preferences of
    profiles."""
    workers: int = Field(2, ge=1, le=64)
    """Threads that decode."""

    @model_validator(mode="after")
    def _has_two_names_for_two_engines(self) -> Self:
        if self.name in self.others:
            raise ValueError(f"{self.name} is the name of two engines")
        if unfit := {"", "usual"} & set(self.others):  # which stand for none of them
            raise ValueError(f"no engine can be called {unfit.pop() or 'nothing'}")
        return self

    def filled(self, **whisper: Any) -> Self:
        others = {name: other.filled(**whisper) for name, other in self.others.items()}
        return super().filled(**whisper).model_copy(update={"others": others})


class ModelsSettings(_Settings):
    """Where models are kept and fetched from."""

    folder: Path = Path("~/voice-ime-models")
    hub: str = "https://huggingface.co"
    """Address of the model hub or of a mirror of it; HF_ENDPOINT goes before it."""
    catalogue: Path | None = None
    """A list of models in place of the one that comes with voice-ime, of the same form."""
    tries: int = Field(6, ge=1, le=100)
    """Connections in a row that may break without bringing much, before a download is given up."""
    pause_s: float = Field(1, ge=0, le=60)
    """Before the second try; before each further one twice as long."""
    silence_s: float = Field(30, ge=0.2, le=600)
    """A connection that brings nothing, or next to nothing, for so long is broken."""


class SpeechSettings(_Settings):
    """Speech detection and endpoints. All durations in seconds of sound."""

    detector: Path | None = None
    """Silero's ONNX file; None: the one inside the package faster-whisper."""
    threshold: float = Field(0.5, gt=0, lt=1)
    """Probability from which a frame counts as speech; 0.15 less ends it."""
    onset_s: float = Field(0.064, gt=0, le=1)
    """Speech this long starts an utterance."""
    before_s: float = Field(0.35, ge=0, le=2)
    """Sound kept from before the onset, so that first words are whole."""
    after_s: float = Field(0.3, ge=0, le=2)
    """Sound kept from after the last speech, so that last words are whole."""
    endpoint_delay_s: float = Field(0.5, ge=0.2, le=3)
    """Silence that ends an utterance."""
    unsure_more_s: float = Field(0.3, ge=0, le=3)
    """So much more silence is waited for where the sentence may not be finished, if the engine can tell."""
    open_more_s: float = Field(0.6, ge=0, le=3)
    """So much more where it does not sound finished at all."""
    endpoint_adapts: bool = False
    """Learn within a session: wait longer for whoever is cut short, less long for whoever is not."""
    endpoint_shortest_s: float = Field(0.4, ge=0.2, le=3)
    """What is learnt goes down to this..."""
    endpoint_longest_s: float = Field(1.2, ge=0.2, le=3)
    """... and up to this."""
    longest_s: float = Field(20.0, ge=4, le=30)
    """An utterance that is longer is cut at its quietest place."""
    first_partials_s: tuple[Annotated[float, Field(ge=0.05, le=5)], ...] = (0.2, 0.3, 0.4, 0.48, 0.6, 0.8)
    """Partials after so much sound since the onset: the first words are waited for most."""
    partial_every_s: float = Field(0.4, ge=0.1, le=5)
    """Then a partial for each further stretch of this length."""


class ServerSettings(_Settings):
    host: str = "127.0.0.1"
    port: int = Field(8765, ge=0, le=65535)
    """0: any free one."""
    token: str = ""
    """What a client must show; empty: a new one is made at each start and kept in `token_file`."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins that may connect, e.g. "http://127.0.0.1:8765"; programs that are no browsers send none."""
    max_sessions: int = Field(32, ge=1, le=1000)
    """Connected clients at a time, silent ones too; those who speak are limited by the next four."""
    max_left_out: float = Field(0.45, gt=0, le=1)
    """New speakers are refused while more than this share of partials finds no thread: finals suffer next. Whoever is
    alone is never refused."""
    max_busy: float = Field(0.6, gt=0, le=1)
    """... or while detection and finals take more than this share of the decoding threads' time."""
    max_wait_s: float = Field(0.02, gt=0, le=60)
    """... or have to wait longer than this for a thread, on average."""
    max_new_sessions: int = Field(16, ge=1, le=1000)
    """... or while so many have come within five seconds: what they cost is not known yet."""
    max_kept_sessions: int = Field(32, ge=1, le=10_000)
    """Sessions remembered after their connection was cut."""
    resume_s: float = Field(300, ge=0, le=86_400)
    """How long such a session is remembered."""
    max_frame_bytes: int = Field(262_144, ge=65_536, le=16_777_216)
    """Largest websocket message."""
    max_messages_per_s: int = Field(50, ge=5, le=10_000)
    """Text messages of one connection, averaged over two seconds. (Sound is limited by the pace of recognition.)"""
    max_requests_per_s: int = Field(50, ge=5, le=10_000)
    """Requests about profiles, of all clients, averaged over two seconds."""
    max_unkept_finals: int = Field(1000, ge=1, le=100_000)
    max_waiting_s: float = Field(30, ge=1, le=600)
    """Sound of one connection waiting for recognition; beyond it the connection is not read."""
    hello_timeout_s: float = Field(10, gt=0, le=600)
    tell_lateness: bool = False
    """Answer benchmarks that ask how late the event loop is."""


class DesktopSettings(_Settings):
    """The client on the person's desk. Keys are X11's names, e.g. "Pause" or "F9"; empty: none."""

    talk: Literal["hold", "toggle"] = "hold"
    """hold: talk while the key is down. toggle: one press begins, the next ends."""
    talk_key: str = "Pause"
    insert_key: str = "Scroll_Lock"
    """Inserts the latest held text where the focus is."""
    repeat_key: str = ""
    where_key: str = ""
    undo_key: str = ""
    changes_key: str = ""
    explain_key: str = ""
    take_key: str = ""
    report_edits: bool = True
    """Tell the server what the person changes in the text inserted last, so that it can be learned from."""
    pre_roll_s: float = Field(0.5, ge=0, le=2)
    """Sound from just before the key goes down, so that first words are whole. Kept in memory only."""
    tail_s: float = Field(0.12, ge=0, le=1)
    """Sound from just after the key goes up, so that last words are whole."""
    speech: bool = True
    """Speak through the speech service; False: print."""
    sounds: bool = True
    journal_most: int = Field(500, ge=1, le=100_000)
    """Utterances that the journal keeps."""
    journal_days: float = Field(7, gt=0, le=3650)


class StoreSettings(_Settings):
    file: Path | None = None
    """Where profiles are kept; None: voice-ime/profiles.sqlite in the person's data folder."""


class Settings(_Settings):
    language: Literal["en", "zh"] = "en"
    """Language of the messages."""
    languages: tuple[str, ...] = ()
    """Languages in which the person dictates, as ISO 639-1 codes; empty: English, and that of the messages."""
    profile: str = Field("default", pattern=r"^([a-z0-9][a-z0-9_-]{0,63})?$")
    """Whose words, names and rules are used in dictation; empty: nobody's."""
    models: ModelsSettings = ModelsSettings()
    engine: EngineSettings = EngineSettings()
    speech: SpeechSettings = SpeechSettings()
    server: ServerSettings = ServerSettings()
    desktop: DesktopSettings = DesktopSettings()
    store: StoreSettings = StoreSettings()

    def kept_in(self, folder: Path) -> "Settings":
        """What the program finds out for itself is kept in `folder`, unless another file was set."""
        return self.model_copy(update={"engine": self.engine.filled(speed_file=folder / "whisper_speeds.json")})

    @property
    def engines(self) -> EngineSettings:
        """`engine`, with the person's languages where the engine's own were not set."""
        return self.engine.filled(languages=self.languages)


def load_settings(file: Path | None, overrides: Mapping[str, Any]) -> Settings:
    """Settings of a TOML file with `overrides`, a mapping of the same shape, on top. ConfigError says what is wrong."""
    tree: dict[str, Any] = {}
    if file is not None:
        try:
            tree = tomllib.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(where=str(file), detail=str(error)) from error
    try:
        return Settings.model_validate(merged(tree, overrides))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(where=where, detail=first["msg"]) from None


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below`, with what `above` says in its place; mappings within are merged in the same way."""
    tree = dict(below)
    for name, value in above.items():
        inner = tree.get(name)
        tree[name] = merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return tree
