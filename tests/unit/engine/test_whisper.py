"""Whisper, through the micro model that knows fourteen phrases (tests/models/README.md)."""

import json
import math
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.contract.engine_contract import MODELS, silence, sound_of
from tests.needs import needs_package
from voice_ime.engine.base import SAMPLE_RATE, Hypothesis, Options, Samples, Substitution, Word
from voice_ime.engine.han import Script
from voice_ime.errors import ConfigError, ModelDamaged, ModelNotFound, RecognitionFailed
from voice_ime.messages import LANGUAGES, Messages
from voice_ime.models.shelf import RECORD
from voice_ime.settings import WhisperSettings

needs_package("faster-whisper")

from voice_ime.engine.whisper import WhisperEngine  # noqa: E402
from voice_ime.engine.whisper_files import FOLDER, damaged  # noqa: E402

MICRO = MODELS / "whisper_micro"
ROOT = Path(__file__).parents[3]


def settings_of(folder: Path) -> WhisperSettings:
    return WhisperSettings(folder=folder, threads=1, compute_type="int8")


@pytest.fixture(scope="module")
def engine() -> WhisperEngine:
    return WhisperEngine(settings_of(MICRO))


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


def test_a_text_that_breaks_off_is_less_likely_than_the_whole(engine: WhisperEngine):
    """The end of a text is part of its score: else the beginning of a name would always beat the name."""
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(sound_of(MODELS / "zh-meeting.flac"))
    final = utterance.finish()
    whole, part = utterance.score([final.text, "今天下午三点开"])
    assert whole == pytest.approx(final.log_probability, abs=0.01)
    assert part < whole - 5


def test_a_substitution_costs_what_the_sound_says(engine: WhisperEngine):
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(sound_of(MODELS / "zh-weather.flac"))
    final = utterance.finish()
    costs = utterance.price(
        final, [Substitution(0, 2, ("天气",)), Substitution(0, 2, ("删除",)), Substitution(2, 4, ("很坏", "很好"))]
    )
    assert costs[0] == pytest.approx(0, abs=0.01)
    assert costs[1] < -5
    assert costs[2] == pytest.approx(0, abs=0.01)


def test_dropping_the_last_character_costs_too(engine: WhisperEngine):
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(sound_of(MODELS / "zh-weather.flac"))
    final = utterance.finish()
    assert utterance.price(final, [Substitution(2, 4, ("很",))])[0] < -5


def test_where_nothing_was_said_no_substitution_is_likely(engine: WhisperEngine):
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(silence(1))
    utterance.finish()
    assert utterance.price(Hypothesis("好", (Word("好"),)), [Substitution(0, 1, ("坏",))]) == [-math.inf]


def test_other_texts_that_could_have_been_said_come_with_the_final(engine: WhisperEngine):
    final = hear(engine, sound_of(MODELS / "en-delete.flac"), "en")
    assert final.text == "delete the last sentence"
    assert "the meeting is at three" in final.alternatives


def test_no_other_texts_where_none_are_wanted():
    engine = WhisperEngine(settings_of(MICRO).model_copy(update={"alternatives": 0, "beam_size": 1}))
    assert not engine.capabilities.alternatives
    assert hear(engine, sound_of(MODELS / "en-delete.flac"), "en").alternatives == ()


def test_phrases_that_silence_the_model_do_not_silence_the_final(engine: WhisperEngine):
    """The micro model was never taught to hear after a prompt, as a real one may fall silent for no good reason."""
    utterance = engine.begin(Options(language="zh", phrases=("Yreka", "章先生")))
    utterance.feed(sound_of(MODELS / "zh-meeting.flac"))
    assert utterance.finish().text == "今天下午三点开会"
    assert utterance.rehear(("北京",)).text == "今天下午三点开会"


def test_what_is_prepared_is_the_final(engine: WhisperEngine):
    utterance = engine.begin(Options(language="en"))
    utterance.feed(sound_of(MODELS / "en-window.flac"))
    prepared = utterance.prepare()
    assert utterance.score([prepared.text])[0] > -1
    assert utterance.finish() is prepared


def test_what_was_prepared_is_forgotten_when_more_is_said(engine: WhisperEngine):
    sound = sound_of(MODELS / "en-window.flac")
    utterance = engine.begin(Options(language="en"))
    utterance.feed(sound[:8000])
    utterance.prepare()
    utterance.feed(sound[8000:])
    assert utterance.finish().text == "open the window please"


@pytest.mark.parametrize("every", [2000, 4000, 8000])
def test_the_final_does_not_depend_on_the_partials(engine: WhisperEngine, every: int):
    sound = sound_of(MODELS / "zh-meeting.flac")
    utterance = engine.begin(Options(language="zh"))
    for begin in range(0, len(sound), every):
        utterance.feed(sound[begin : begin + every])
        utterance.partial()
    with_partials = utterance.finish()
    assert replace(with_partials, timings={}) == replace(hear(engine, sound, "zh"), timings={})


def test_a_partial_that_builds_on_the_ones_before_says_the_same(engine: WhisperEngine):
    sound = sound_of(MODELS / "en-window.flac")
    utterance = engine.begin(Options(language="en"))
    for piece in (sound, *[np.zeros(1600, np.float32)] * 3):
        utterance.feed(piece)
        partial = utterance.partial()
        assert partial is not None
        assert partial.text == "open the window please"


@pytest.mark.parametrize(
    ("script", "text"),
    [("simplified", "今天下午三点开会"), ("traditional", "今天下午三點開會"), (None, "今天下午三点开会")],
)
def test_chinese_comes_in_the_script_that_is_asked_for(engine: WhisperEngine, script: Script | None, text: str):
    utterance = engine.begin(Options(language="zh", script=script))
    utterance.feed(sound_of(MODELS / "zh-meeting.flac"))
    final = utterance.finish()
    assert final.text == "".join(word.text for word in final.words) == text
    assert all(word.start_s is not None for word in final.words)


def test_texts_in_the_other_script_are_scored_as_the_model_would_write_them(engine: WhisperEngine):
    utterance = engine.begin(Options(language="zh", script="traditional"))
    utterance.feed(sound_of(MODELS / "zh-meeting.flac"))
    final = utterance.finish()
    assert utterance.score([final.text])[0] > -1


def test_english_is_the_same_in_either_script(engine: WhisperEngine):
    utterance = engine.begin(Options(language="en", script="traditional"))
    utterance.feed(sound_of(MODELS / "en-window.flac"))
    assert utterance.finish().text == "open the window please"


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


def test_no_substitution_is_made_in_sound_longer_than_the_window(engine: WhisperEngine):
    utterance = engine.begin(Options(language="en"))
    utterance.feed(np.tile(sound_of(MODELS / "en-window.flac"), 5))
    assert utterance.price(utterance.finish(), [Substitution(0, 1, ("hoping",))]) == [-math.inf]


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
        WhisperEngine(settings_of(folder))
    program, action, *arguments = shlex.split(str(refused.value.values["command"]))
    assert shutil.which(program)
    assert [action, *arguments] == ["download", source, "--local-dir", str(folder)]
    assert refused.value.values["where"] == str(folder)
    for language in LANGUAGES:
        assert str(refused.value.values["command"]) in " ".join(Messages(language).error(refused.value))


@pytest.mark.parametrize("name", ["faster-whisper-small", "faster-whisper-base"])
def test_a_model_that_belongs_into_the_models_folder_comes_with_the_command_that_puts_it_there(name: str):
    error = damaged(FOLDER.expanduser().with_name(name), "model.bin")
    assert error.values["command"] == f"voice-ime models pull {name}"


def test_a_damaged_model_that_voice_ime_fetched_is_fetched_again_by_voice_ime(copy: Path):
    (copy / RECORD).write_text("{}")
    (copy / "model.bin").write_bytes(b"")
    with pytest.raises(ModelDamaged) as refused:
        WhisperEngine(settings_of(copy))
    assert refused.value.values["command"] == f"voice-ime models pull {copy.name}"


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_a_missing_file_is_named(copy: Path, file: str):
    (copy / file).unlink()
    with pytest.raises(ModelNotFound) as refused:
        WhisperEngine(settings_of(copy))
    assert refused.value.values["where"] == str(copy / file)


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
@pytest.mark.parametrize("kept", [0, 5, 0.5, 0.99])
def test_a_file_that_breaks_off_is_damaged(copy: Path, file: str, kept: float):
    contents = (copy / file).read_bytes()
    (copy / file).write_bytes(contents[: round(kept * len(contents)) if isinstance(kept, float) else kept])
    with pytest.raises(ModelDamaged) as refused:
        WhisperEngine(settings_of(copy))
    assert refused.value.values["file"] == file
    assert str(refused.value.values["command"]).endswith("--force-download")


def test_a_placeholder_of_a_large_file_store_is_damaged(copy: Path):
    (copy / "model.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 738053\n")
    with pytest.raises(ModelDamaged):
        WhisperEngine(settings_of(copy))


@pytest.mark.parametrize("bands", [128, 40])
def test_files_of_two_models_do_not_go_together(copy: Path, bands: int):
    preprocessor = json.loads((copy / "preprocessor_config.json").read_text())
    (copy / "preprocessor_config.json").write_text(json.dumps({**preprocessor, "feature_size": bands}))
    with pytest.raises(ModelDamaged):
        WhisperEngine(settings_of(copy))


def test_an_unknown_kind_of_computation_is_a_wrong_setting():
    with pytest.raises(ConfigError) as refused:
        WhisperEngine(WhisperSettings(folder=MICRO, compute_type="int9"))
    assert refused.value.values["where"] == "engine.whisper.compute_type"


def test_a_closed_engine_fails_instead_of_hearing():
    engine = WhisperEngine(settings_of(MICRO))
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
settings = WhisperSettings(folder=MODELS / "whisper_micro", threads=1, compute_type="int8")
utterance = WhisperEngine(settings).begin(Options())
utterance.feed(sound_of(MODELS / "en-window.flac"))
print(utterance.partial().text)
print(utterance.finish().text, len(utterance.score(["a"])))
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == ["open the window please", "open the window please 1"]
