"""Whisper, through the micro model that knows fourteen phrases (tests/models/README.md)."""

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.needs import needs_package
from voice_ime.engine.base import SAMPLE_RATE, Hypothesis, Options, Samples
from voice_ime.errors import ConfigError, ModelDamaged, ModelNotFound, RecognitionFailed
from voice_ime.messages import LANGUAGES, Messages
from voice_ime.settings import WhisperSettings

needs_package("faster-whisper")

from voice_ime.engine.whisper import WhisperEngine, _quietest, _window_ends, _words  # noqa: E402

MICRO = MODELS / "whisper_micro"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def engine() -> WhisperEngine:
    return WhisperEngine(WhisperSettings(folder=MICRO, threads=1))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the model that a test may spoil."""
    return Path(shutil.copytree(MICRO, tmp_path / "faster-whisper-micro"))


def hear(engine: WhisperEngine, sound: Samples, language: str | None = None) -> Hypothesis:
    utterance = engine.begin(Options(language=language))
    utterance.feed(sound)
    return utterance.finish()


PHRASES = [
    ("en-window.flac", "en", "open the window please"),
    ("en-delete.flac", "en", "delete the last sentence"),
    ("zh-meeting.flac", "zh", "今天下午三点开会"),
    ("zh-weather.flac", "zh", "天气很好"),
]


@pytest.mark.parametrize(("clip", "language", "text"), PHRASES)
def test_english_and_mandarin_are_heard(engine: WhisperEngine, clip: str, language: str, text: str):
    assert hear(engine, sound_of(MODELS / clip), language).text == text


@pytest.mark.parametrize(("clip", "language", "text"), PHRASES)
def test_the_language_is_found_where_none_is_asked_for(engine: WhisperEngine, clip: str, language: str, text: str):
    final = hear(engine, sound_of(MODELS / clip))
    assert (final.language, final.text) == (language, text)


def test_what_follows_the_last_word_is_not_heard_as_another_sentence(engine: WhisperEngine):
    """A known weakness of Whisper: it fills the silence after the last word."""
    sound = np.concatenate([sound_of(MODELS / "en-window.flac"), np.zeros(SAMPLE_RATE, np.float32)])
    assert hear(engine, sound, "en").text == "open the window please"


def test_the_languages_are_those_of_the_model(engine: WhisperEngine):
    assert engine.capabilities.languages == ("en", "zh")


def test_what_was_said_is_likelier_than_anything_else(engine: WhisperEngine):
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(sound_of(MODELS / "zh-weather.flac"))
    utterance.finish()
    said, *others = utterance.score(["天气很好", "天气上好", "删除上一句"])
    assert said > max(others)


def test_work_is_told_by_stage(engine: WhisperEngine):
    assert set(hear(engine, sound_of(MODELS / "en-window.flac")).timings) == {"encode_s", "decode_s"}


# --- sound longer than the model's window ---


def test_sound_longer_than_the_window_is_heard_window_by_window(engine: WhisperEngine):
    """The window of the micro model is 6 s."""
    hush, silence = np.full(round(3.7 * SAMPLE_RATE), 1e-4, np.float32), np.zeros(SAMPLE_RATE // 5, np.float32)
    sound = np.concatenate([sound_of(MODELS / "en-window.flac"), hush, silence, sound_of(MODELS / "en-delete.flac")])
    final = hear(engine, sound, "en")
    assert final.text == "open the window please delete the last sentence"
    assert final.words[4].start_s is not None
    assert final.words[4].start_s > 4


def test_scoring_sound_longer_than_the_window_fails_rather_than_misleads(engine: WhisperEngine):
    utterance = engine.begin(Options(language="en"))
    utterance.feed(np.tile(sound_of(MODELS / "en-window.flac"), 5))
    utterance.finish()
    with pytest.raises(RecognitionFailed):
        utterance.score(["open the window please"])


def test_windows_are_cut_where_it_is_quiet_and_cover_the_sound():
    sound = np.full(100_000, 0.5, np.float32)
    sound[35_000:37_000] = 0
    ends = list(_window_ends(sound, 40_000))
    assert 35_000 < ends[0] < 37_000
    assert ends[-1] == len(sound)
    assert all(end - begin <= 40_000 for begin, end in zip([0, *ends], ends, strict=False))


def test_a_cut_is_always_forwards():
    assert _quietest(np.zeros(SAMPLE_RATE, np.float32)) > 0


# --- words ---


@dataclass(frozen=True)
class Aligned:
    word: str
    start: float
    end: float
    probability: float = 0.5

    def as_mapping(self) -> dict[str, object]:
        return {"word": self.word, "start": self.start, "end": self.end, "probability": self.probability}


def words(text: str, *aligned: Aligned) -> list[tuple[str, float | None, float | None]]:
    found = _words(text, [each.as_mapping() for each in aligned], (0.3, 2.0), 10.0)
    return [(word.text, word.start_s, word.end_s) for word in found]


def test_the_first_word_does_not_begin_before_speech_does():
    assert words("a b", Aligned(" a", 0.0, 0.8), Aligned(" b", 0.8, 1.2)) == [("a", 10.3, 10.8), ("b", 10.8, 11.2)]


def test_times_beyond_the_speech_or_backwards_are_put_right():
    aligned = (Aligned(" a", 0.5, 0.4), Aligned(" b", 0.2, 9.0), Aligned(" c", 9.0, 9.5))
    assert words("a b c", *aligned) == [("a", 10.5, 10.5), ("b", 10.5, 12.0), ("c", 12.0, 12.0)]


def test_words_have_no_times_where_the_alignment_is_not_the_text():
    assert words("a b", Aligned(" a", 0.5, 0.9)) == [("a", None, None), ("b", None, None)]


# --- the model on disk ---


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("faster-whisper-base.en", "Systran/faster-whisper-base.en"),
        ("faster-whisper-large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
        ("my models", "Systran/faster-whisper-small"),
    ],
)
def test_a_model_that_is_not_here_comes_with_the_command_that_gets_it(tmp_path: Path, name: str, source: str):
    folder = tmp_path / name
    with pytest.raises(ModelNotFound) as refused:
        WhisperEngine(WhisperSettings(folder=folder))
    program, action, *arguments = shlex.split(str(refused.value.values["command"]))
    assert shutil.which(program)
    assert [action, *arguments] == ["download", source, "--local-dir", str(folder)]
    assert refused.value.values["where"] == str(folder)
    for language in LANGUAGES:
        assert str(refused.value.values["command"]) in " ".join(Messages(language).error(refused.value))


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_a_missing_file_is_named(copy: Path, file: str):
    (copy / file).unlink()
    with pytest.raises(ModelNotFound) as refused:
        WhisperEngine(WhisperSettings(folder=copy))
    assert refused.value.values["where"] == str(copy / file)


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
@pytest.mark.parametrize("kept", [0, 5, 0.5, 0.99])
def test_a_file_that_breaks_off_is_damaged(copy: Path, file: str, kept: float):
    contents = (copy / file).read_bytes()
    (copy / file).write_bytes(contents[: round(kept * len(contents)) if isinstance(kept, float) else kept])
    with pytest.raises(ModelDamaged) as refused:
        WhisperEngine(WhisperSettings(folder=copy))
    assert refused.value.values["file"] == file
    assert str(refused.value.values["command"]).endswith("--force-download")


def test_a_placeholder_of_a_large_file_store_is_damaged(copy: Path):
    (copy / "model.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 738053\n")
    with pytest.raises(ModelDamaged):
        WhisperEngine(WhisperSettings(folder=copy))


@pytest.mark.parametrize("bands", [128, 40])
def test_files_of_two_models_do_not_go_together(copy: Path, bands: int):
    preprocessor = json.loads((copy / "preprocessor_config.json").read_text())
    (copy / "preprocessor_config.json").write_text(json.dumps({**preprocessor, "feature_size": bands}))
    with pytest.raises(ModelDamaged):
        WhisperEngine(WhisperSettings(folder=copy))


def test_an_unknown_kind_of_computation_is_a_wrong_setting():
    with pytest.raises(ConfigError) as refused:
        WhisperEngine(WhisperSettings(folder=MICRO, compute_type="int9"))
    assert refused.value.values["where"] == "engine.whisper.compute_type"


def test_a_closed_engine_fails_instead_of_hearing():
    engine = WhisperEngine(WhisperSettings(folder=MICRO, threads=1))
    utterance = engine.begin(Options())
    utterance.feed(sound_of(MODELS / "en-window.flac"))
    engine.close()
    with pytest.raises(RecognitionFailed):
        utterance.finish()


def test_nothing_is_asked_from_the_network():
    """Loading, finding the language, hearing and scoring, with every connection and look-up refused."""
    program = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise SystemExit(f"the network was asked: {event}")
sys.addaudithook(refuse)
from pathlib import Path
from tests.contract.engine_contract import MODELS, sound_of
from voice_ime.engine.base import Options
from voice_ime.engine.whisper import WhisperEngine
from voice_ime.settings import WhisperSettings
utterance = WhisperEngine(WhisperSettings(folder=MODELS / "whisper_micro", threads=1)).begin(Options())
utterance.feed(sound_of(MODELS / "en-window.flac"))
print(utterance.partial().text)
print(utterance.finish().text, len(utterance.score(["a"])))
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == ["open the window please", "open the window please 1"]
