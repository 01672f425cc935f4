"""Who speaks on a faulty day in Mandarin: two recordings at a time, and what a real engine makes of them."""

import random
from pathlib import Path

import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.needs import needs_package
from voice_ime.audio import to_pcm16
from voice_ime.errors import ConfigError
from voice_ime.settings import EngineSettings, Settings, SherpaSettings

needs_package("sherpa-onnx")
needs_package("kaldi-native-fbank")
needs_package("faster-whisper")  # brings the detector's model
needs_package("av")
needs_package("python-xlib", "Xlib")

from benchmarks.faulty_voices import Recordings  # noqa: E402

MICRO = MODELS / "micro_zh"
SETTINGS = Settings(
    engine=EngineSettings(name="sherpa", sherpa=SherpaSettings(folder=MICRO / "streaming-transducer", threads=1))
)


@pytest.fixture(scope="module")
def voice() -> Recordings:
    return Recordings(SETTINGS, MICRO / "manifest.jsonl", "zh")


def test_it_says_two_recordings_and_knows_what_is_heard_of_them(voice: Recordings) -> None:
    chance = random.Random(1)
    for _ in range(5):
        words = voice.speak(chance)
        assert voice.hear(words.first + words.rest) in words.texts
        assert words.texts[1] == f"{voice.hear(words.first)} {voice.hear(words.rest)}"


def test_two_sentences_in_a_row_never_look_like_a_third_utterance(voice: Recordings) -> None:
    chance = random.Random(2)
    said = {"".join(voice.speak(chance).texts[1].split()) for _ in range(200)}
    assert len(said) >= 25
    assert not [
        (one, other, third)
        for one in said
        for other in said
        for third in said - {one, other}
        if third in one + other
    ]  # fmt: skip


def test_its_server_finds_the_model_from_any_folder(voice: Recordings) -> None:
    assert Path(voice.settings(1)["sherpa"]["folder"]).is_absolute()


def test_what_it_hears_is_what_the_clip_says(voice: Recordings) -> None:
    assert voice.hear(to_pcm16(sound_of(MICRO / "clips" / "trained-24.ogg"))) == "老赵的声音在成都"


def test_too_few_recordings_are_refused(tmp_path: Path) -> None:
    row = f'{{"path": "{MICRO}/clips/trained-24.ogg", "text": "老赵的声音在成都", "lang": "zh"}}\n'
    (tmp_path / "manifest.jsonl").write_text(3 * row, "utf-8")
    with pytest.raises(ConfigError):
        Recordings(SETTINGS, tmp_path / "manifest.jsonl", "zh")
