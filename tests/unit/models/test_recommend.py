"""Which model is recommended to whom."""

import pytest

from voice_ime.messages import Messages
from voice_ime.models import telling
from voice_ime.models.chooser import Advice
from voice_ime.models.manifest import read_manifest
from voice_ime.models.recommend import Resources, recommend

MANIFEST = read_manifest()
USUAL = Resources(cores=2, memory_mb=25_200, free_mb=50_000)
"""Of 24 GB, as it is sold, the system keeps some."""
ENGINES = ("moonshine-tiny-en", "whisper", "sherpa")


def recommended(languages: list[str], resources: Resources = USUAL, engines: tuple[str, ...] = ENGINES) -> str | None:
    model = recommend(MANIFEST, languages, resources, engines)
    return model.id if model is not None else None


@pytest.mark.parametrize(
    ("languages", "model"),
    [
        (["zh", "en"], "x-asr-480ms"),
        (["en", "zh"], "x-asr-480ms"),
        (["zh"], "x-asr-480ms"),
        (["en"], "moonshine-tiny-en"),
        (["yue"], "sense-voice-int8"),
        (["zh", "en", "yue"], "sense-voice-int8"),
        (["de"], "faster-whisper-small"),
        (["de", "zh"], "faster-whisper-small"),
    ],
)
def test_on_a_usual_machine(languages: list[str], model: str) -> None:
    assert recommended(languages) == model


def test_an_old_machine_gets_a_smaller_one() -> None:
    old = Resources(cores=1, memory_mb=1500, free_mb=50_000)
    assert recommended(["zh"], old) == "zipformer-zh-14m"
    assert recommended(["zh", "en"], old) == "zipformer-small-zh-en"


def test_a_full_disk_gets_one_that_has_room_or_that_is_here() -> None:
    full = Resources(cores=2, memory_mb=24_000, free_mb=100)
    assert recommended(["zh"], full) == "zipformer-zh-14m"
    here = recommend(MANIFEST, ["zh"], full, ENGINES, here=["x-asr-480ms"])
    assert here is not None
    assert here.id == "x-asr-480ms"
    assert recommended(["en"], Resources(2, 24_000, 0)) == "moonshine-tiny-en"


def test_what_no_engine_of_this_version_can_use_is_not_recommended() -> None:
    assert recommended(["en"], engines=(*ENGINES, "moonshine-streaming")) == "moonshine-tiny-en"
    assert recommended(["zh", "en"], engines=("whisper",)) == "faster-whisper-small"


def test_nothing_may_fit() -> None:
    assert recommended(["zh"], Resources(cores=1, memory_mb=300, free_mb=10)) is None


def test_the_recommendation_is_told_in_one_breath_in_both_languages() -> None:
    model = MANIFEST.get("x-asr-480ms")
    english = telling.recommendation(Advice(model, ("zh", "en"), USUAL), Messages("en"))
    assert english == (
        "You dictate in: Chinese, English. This machine has 2 processor cores and 24 gigabytes of memory. "
        "Recommended: X-ASR, streaming, 169 megabytes, licence Apache-2.0. "
        "Never run here: what is said of it comes from others."
    )
    chinese = telling.recommendation(Advice(model, ("zh", "en"), USUAL, here=True), Messages("zh"))
    assert chinese.endswith("在这台电脑上。从未在我们这里运行过：关于它的说法都来自别人。")


@pytest.mark.parametrize(
    ("advice", "step"),
    [
        (Advice(MANIFEST.get("x-asr-480ms"), ("zh",), USUAL), "voice-ime models pull x-asr-480ms"),
        (Advice(MANIFEST.get("x-asr-480ms"), ("zh",), USUAL, here=True), "voice-ime models use x-asr-480ms"),
        (Advice(MANIFEST.get("x-asr-480ms"), ("zh",), USUAL, here=True, used=True), ""),
        (Advice(None, ("zh",), USUAL), "voice-ime models list"),
    ],
)
def test_the_next_step_is_a_command(advice: Advice, step: str) -> None:
    assert telling.next_step(advice, Messages("en")).endswith(step)
    assert telling.recommendation(advice, Messages("zh"))
