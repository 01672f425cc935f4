import json
from pathlib import Path

import numpy as np
import pytest

from tests.needs import needs_package
from voice_ime.audio import read_blocks
from voice_ime.engine.base import Samples
from voice_ime.errors import ModelDamaged, ModelNotFound

needs_package("onnxruntime")
needs_package("faster-whisper")

from voice_ime.engine.speech import FRAME, SpeechDetector  # noqa: E402

MICRO = Path(__file__).parents[2] / "models" / "micro_zh"


@pytest.fixture(scope="module")
def detector() -> SpeechDetector:
    return SpeechDetector()


def test_each_whole_frame_gets_one_probability_and_the_rest_waits(detector: SpeechDetector) -> None:
    stream = detector.stream()
    silence = np.zeros(FRAME * 2 + 100, np.float32)
    assert len(stream.probabilities(silence)) == 2
    assert len(stream.probabilities(silence[: FRAME - 101])) == 0
    assert len(stream.probabilities(silence[:1])) == 1


def test_silence_and_noise_are_not_speech(detector: SpeechDetector) -> None:
    noise = np.random.default_rng(1).normal(0, 0.02, 16_000).astype(np.float32)
    sound = np.concatenate([np.zeros(16_000, np.float32), noise])
    assert max(detector.stream().probabilities(sound)) < 0.5


@pytest.mark.parametrize("size", [1, 160, 511, 512, 513, 5000])
def test_the_probabilities_are_the_same_however_the_sound_is_cut(detector: SpeechDetector, size: int) -> None:
    sound = np.random.default_rng(2).normal(0, 0.1, 5000).astype(np.float32)
    whole = detector.stream().probabilities(sound)
    stream = detector.stream()
    cut = [found for i in range(0, len(sound), size) for found in stream.probabilities(sound[i : i + size])]
    assert cut == whole


def test_the_probabilities_after_long_silence_are_the_same_however_the_sound_is_cut(detector: SpeechDetector) -> None:
    noise = np.random.default_rng(4).normal(0, 0.001, 40_000).astype(np.float32)
    sound = np.concatenate([noise, np.zeros(50_000, np.float32), noise, clips()[0]])
    whole = detector.stream().probabilities(sound)
    stream = detector.stream()
    cut = [found for i in range(0, len(sound), 777) for found in stream.probabilities(sound[i : i + 777])]
    assert cut == whole


@pytest.mark.parametrize("loudness", [0, 0.0001, 0.001], ids=["nothing", "a quiet room", "a fan"])
def test_speech_is_noticed_as_soon_after_a_minute_of_silence_as_after_a_second(
    detector: SpeechDetector, loudness: float
) -> None:
    room = np.random.default_rng(5).normal(0, 1, 60 * 16_000).astype(np.float32) * np.float32(loudness)
    later = [begin_after(detector, room, clip) - begin_after(detector, room[:16_000], clip) for clip in clips()]
    assert np.mean(later) < 1
    assert max(later) <= 4


def test_a_muted_microphone_costs_no_detection(detector: SpeechDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = detector.stream()
    stream.probabilities(np.zeros(16_000, np.float32))
    monkeypatch.setattr(detector, "run", lambda *_: pytest.fail("the detector ran"))
    assert stream.probabilities(np.zeros(16_000, np.float32)) == [0.0] * 31


def clips() -> list[Samples]:
    """Short recordings of speech."""
    rows = [json.loads(row) for row in (MICRO / "manifest.jsonl").read_text().splitlines()]
    return [np.concatenate(list(read_blocks(MICRO / row["path"]))) for row in rows]


def begin_after(detector: SpeechDetector, room: Samples, clip: Samples) -> int:
    """The frame of the clip with which speech begins: the first of three in a row that are likely speech."""
    before = len(room) // FRAME * FRAME
    likely = np.array(detector.stream().probabilities(np.concatenate([room[:before], clip]))) >= 0.5
    return int(np.flatnonzero(likely[:-2] & likely[1:-1] & likely[2:])[0]) - before // FRAME


def test_two_streams_do_not_disturb_each_other(detector: SpeechDetector) -> None:
    sound = np.random.default_rng(3).normal(0, 0.1, FRAME * 4).astype(np.float32)
    alone = detector.stream().probabilities(sound)
    first, second = detector.stream(), detector.stream()
    mixed = []
    for i in range(0, len(sound), FRAME):
        mixed += first.probabilities(sound[i : i + FRAME])
        second.probabilities(np.zeros(FRAME, np.float32))
    assert mixed == alone


def test_a_missing_detector_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        SpeechDetector(tmp_path / "absent.onnx")


def test_a_damaged_detector_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "damaged.onnx"
    file.write_bytes(b"not a model")
    with pytest.raises(ModelDamaged):
        SpeechDetector(file)
