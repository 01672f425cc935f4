"""Moonshine's streaming models: what the library is asked for, with a stand-in for it and with the library itself.

No such model was ever here. In the folders below the graphs of the tiny model inside the package stand for its own.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from tests.fakes import loud, silent
from tests.needs import needs_package
from tests.unit.engine.refusing import refusal

needs_package("moonshine-voice")

from moonshine_voice.errors import MoonshineError  # type: ignore[import-untyped]  # noqa: E402
from moonshine_voice.transcriber import ModelArch  # type: ignore[import-untyped]  # noqa: E402

from voice_ime.engine.base import Options  # noqa: E402
from voice_ime.engine.catalog import load  # noqa: E402
from voice_ime.engine.moonshine_streaming import FILES, GRAPHS, MoonshineStreamingEngine  # noqa: E402
from voice_ime.engine.store import package_folder  # noqa: E402
from voice_ime.errors import EngineUnavailable, ModelNotFound, RecognitionFailed  # noqa: E402
from voice_ime.settings import EngineSettings, MoonshineStreamingSettings  # noqa: E402

CONFIG = {
    "encoder_dim": 320, "decoder_dim": 320, "depth": 6, "nheads": 8, "head_dim": 40, "vocab_size": 32768, "bos_id": 1,
    "eos_id": 2, "frame_len": 80, "total_lookahead": 16, "d_model_frontend": 320, "c1": 640, "c2": 320,
    "max_seq_len": 448,
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    text: str


@dataclass(frozen=True)
class Lines:
    lines: list[Line]


@dataclass
class FakeStream:
    """Hears "one", then "one two" and so on with each look, in two lines; fails while `broken`."""

    update_interval: float
    broken: bool = False
    calls: list[str] = field(default_factory=list)
    sound: int = 0
    looking: Callable[[], None] = lambda: None

    def start(self) -> None:
        self.calls.append("start")

    def add_audio(self, samples: list[float], rate: int) -> None:
        assert rate == 16_000
        self.sound += len(samples)
        self.calls.append(f"add {len(samples)}")

    def update_transcription(self, flags: int) -> Lines:
        assert flags == 1
        self.looking()
        if self.broken:
            raise MoonshineError("Memory is empty")
        self.calls.append("look")
        words = ["One", "two.", "three", "four"][: self.calls.count("look")]
        return Lines([Line(" ".join(words[:2])), Line(" ".join(words[2:]) + " ")])

    def close(self) -> None:
        self.calls.append("close")


@dataclass
class FakeLibrary:
    """Keeps what it was asked for."""

    folder: str = ""
    arch: ModelArch | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    streams: list[FakeStream] = field(default_factory=list)
    break_next: bool = False

    def __call__(self, folder: str, arch: ModelArch, options: Mapping[str, str]) -> "FakeLibrary":
        self.folder, self.arch, self.options = folder, arch, options
        return self

    def create_stream(self, update_interval: float) -> FakeStream:
        self.streams.append(FakeStream(update_interval, self.break_next))
        self.break_next = False
        return self.streams[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Whole by the names of its files."""
    package = package_folder("moonshine_voice")
    assert package is not None
    tiny = package / "assets" / "tiny-en"
    place = tmp_path / "moonshine-small-streaming-en"
    place.mkdir()
    for name in GRAPHS:
        (place / name).symlink_to(tiny / "encoder_model.ort")
    (place / "tokenizer.bin").symlink_to(tiny / "tokenizer.bin")
    (place / "streaming_config.json").write_text(json.dumps(CONFIG), "utf-8")
    return place


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


def engine_of(folder: Path, library: FakeLibrary) -> MoonshineStreamingEngine:
    return MoonshineStreamingEngine(MoonshineStreamingSettings(folder=folder, kind="small-streaming"), library)


def test_the_library_is_asked_for_the_kind_of_model_and_not_to_cut_speech(folder: Path, library: FakeLibrary) -> None:
    engine = engine_of(folder, library)
    assert (library.folder, library.arch) == (str(folder), ModelArch.SMALL_STREAMING)
    assert library.options["vad_threshold"] == "0"
    assert float(library.options["vad_max_segment_duration"]) > 30
    assert engine.capabilities.streaming


def test_each_piece_of_sound_is_given_once_and_silence_after_the_last(folder: Path, library: FakeLibrary) -> None:
    utterance = engine_of(folder, library).begin(Options())
    utterance.feed(loud(0.5))
    utterance.partial()
    utterance.feed(loud(0.2))
    utterance.feed(loud(0.1))
    utterance.finish()
    (stream,) = library.streams
    assert stream.calls == ["start", "add 8000", "look", "add 17600", "look", "close"]
    assert math.isinf(stream.update_interval)


def test_the_lines_of_an_utterance_are_one_text(folder: Path, library: FakeLibrary) -> None:
    utterance = engine_of(folder, library).begin(Options())
    texts = []
    for _ in range(3):
        utterance.feed(loud(0.5))
        partial = utterance.partial()
        assert partial is not None
        texts.append(partial.text)
    final = utterance.finish()
    assert texts == ["One", "One two.", "One two. three"]
    assert (final.text, [word.text for word in final.words]) == ("One two. three four", final.text.split())


def test_a_partial_that_fails_is_left_out_and_the_final_hears_all_again(folder: Path, library: FakeLibrary) -> None:
    library.break_next = True
    utterance = engine_of(folder, library).begin(Options())
    utterance.feed(loud(0.5))
    assert utterance.partial() is None
    utterance.feed(loud(0.5))
    assert utterance.finish().text == "One"
    assert [stream.sound for stream in library.streams] == [8000, 16_000 + 12_800]
    assert library.streams[0].calls[-1] == "close"


def test_a_final_that_fails_says_so(folder: Path, library: FakeLibrary) -> None:
    library.break_next = True
    utterance = engine_of(folder, library).begin(Options())
    utterance.feed(loud(0.5))
    with pytest.raises(RecognitionFailed):
        utterance.finish()


def test_the_library_is_not_troubled_with_silence(folder: Path, library: FakeLibrary) -> None:
    utterance = engine_of(folder, library).begin(Options())
    utterance.feed(silent(2))
    assert utterance.partial() is None
    assert utterance.finish().text == ""
    assert library.streams == []


def test_cancelling_does_not_wait_for_another_speaker(folder: Path, library: FakeLibrary) -> None:
    engine = engine_of(folder, library)
    given_up, other = engine.begin(Options()), engine.begin(Options())
    for utterance in (given_up, other):
        utterance.feed(loud(0.5))
        utterance.partial()
    looking, go_on = Event(), Event()

    def look() -> None:
        looking.set()
        assert go_on.wait(60)

    library.streams[1].looking = look
    thread = Thread(target=other.finish)
    thread.start()
    assert looking.wait(60)
    given_up.cancel()
    assert "close" not in library.streams[0].calls
    go_on.set()
    thread.join(60)
    assert library.streams[0].calls[-1] == "close"


# --- the library itself ---


def settings(folder: Path | None) -> EngineSettings:
    return EngineSettings(name="moonshine-streaming", moonshine_streaming=MoonshineStreamingSettings(folder=folder))


def test_the_library_loads_a_folder_of_that_form_and_what_fails_in_it_is_told(folder: Path) -> None:
    engine = load(settings(folder))
    utterance = engine.begin(Options())
    utterance.feed(np.tile(loud(0.01), 100))
    assert utterance.partial() is None  # its graphs are not those of such a model
    with pytest.raises(RecognitionFailed):
        utterance.finish()
    engine.close()


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_the_command_that_gets_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelNotFound) as missing:
        load(settings(folder))
    assert missing.value.values["where"] == str(folder / name)
    assert missing.value.values["command"] == "voice-ime models pull moonshine-small-streaming-en"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound) as missing:
        load(settings(tmp_path / "nowhere"))
    assert missing.value.values["where"] == str(tmp_path / "nowhere")


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_model_is_refused_with_a_remedy(folder: Path, name: str, apart: ProcessPoolExecutor) -> None:
    (folder / name).unlink()
    (folder / name).write_bytes(b"not what it should be")
    values = apart.submit(refusal, settings(folder)).result()
    assert values["model"] == "moonshine-small-streaming-en"
    assert values["command"] == "voice-ime models pull moonshine-small-streaming-en"


@pytest.fixture(scope="module")
def apart() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        yield process


def test_a_library_that_cannot_be_loaded_is_named(folder: Path) -> None:
    def unusable(*_: object, **__: object) -> None:
        raise MoonshineError("Failed to load Moonshine library") from OSError("wrong ELF class")

    with pytest.raises(EngineUnavailable) as unavailable:
        MoonshineStreamingEngine(MoonshineStreamingSettings(folder=folder), unusable)
    assert unavailable.value.values["package"] == "moonshine-voice"
