"""All clips that were made with the micro models, and real speech, through the engine for sherpa-onnx."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.needs import needs_package, shared

needs_package("sherpa-onnx")
needs_package("kaldi-native-fbank")
needs_package("jiwer")

from benchmarks.micro_mandarin import KINDS, TRAINED, Clip, names, open_model, phrase, rate, read_clips, whole  # noqa: E402
from voice_ime.engine.base import Options  # noqa: E402
from voice_ime.engine.sherpa import SherpaEngine  # noqa: E402


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest) -> Iterator[SherpaEngine]:
    engine = open_model(MODELS / "micro_zh" / request.param)
    yield engine
    engine.close()


@pytest.fixture(scope="module", params=[kind for kind in KINDS if "transducer" in kind])
def transducer(request: pytest.FixtureRequest) -> Iterator[SherpaEngine]:
    engine = open_model(MODELS / "micro_zh" / request.param)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return list(read_clips(shared("models", "micro")))


@pytest.mark.parametrize(("condition", "most"), [("seen_voice", 0.1), ("held_voice", 0.3), ("noise10", 0.2)])
def test_synthetic_mandarin_is_heard_as_well_as_the_models_can(
    engine: SherpaEngine, clips: list[Clip], condition: str, most: float
):
    assert rate(clips, condition, lambda clip: whole(engine, clip).text) <= most


def test_a_name_is_heard_in_most_clips_once_it_is_asked_for(transducer: SherpaEngine, clips: list[Clip]):
    found = phrase(transducer, clips)
    assert found["without"] == found["another_asked_for"] == found["heard_where_it_was_not"] == 0
    assert found["asked_for"] >= 15
    assert found["asked_for_afterwards"] >= 15


def test_what_was_said_scores_above_the_same_with_another_name(engine: SherpaEngine, clips: list[Clip]):
    found = names(engine, [clip for clip in clips if clip.condition == TRAINED])
    assert found["above_its_rival"] >= 0.8
    assert found["above_all_its_rivals"] >= 0.8


def test_real_speech_does_no_harm(engine: SherpaEngine):
    """The micro models cannot understand it; times and confidence are in order all the same."""
    manifest = shared("speech", "manifest.jsonl")
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    for row in [row for row in rows if row["lang"] == "zh"][:6]:
        sound = sound_of(manifest.parent / row["path"])
        utterance = engine.begin(Options(language="zh"))
        utterance.feed(sound)
        final = utterance.finish()
        starts = [word.start_s or 0.0 for word in final.words]
        assert starts == sorted(starts)
        assert np.isfinite(utterance.score([final.text])).all()
