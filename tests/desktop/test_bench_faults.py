"""A short day of `voice-ime bench faults`: nothing is lost, doubled, misplaced, or in a secure field."""

import pytest

from tests.needs import needs_package

for package in ("av", "fastapi", "miniaudio", "onnxruntime"):
    needs_package(package)
needs_package("moonshine-voice")
needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

from benchmarks.accounts import COUNTED, GRAVE  # noqa: E402
from benchmarks.faults import measured  # noqa: E402
from benchmarks.faulty_voices import GivenLines, Recordings  # noqa: E402
from tests.contract.engine_contract import MODELS  # noqa: E402
from voice_ime.settings import EngineSettings, Settings, SherpaSettings  # noqa: E402

UTTERANCES = 12


@pytest.mark.parametrize("seed", [5])
def test_a_day_on_which_things_break_ends_well(seed: int) -> None:
    figures = measured(UTTERANCES, seed, voice=GivenLines())

    assert {name: figures[name] for name in GRAVE} == dict.fromkeys(GRAVE, 0), figures["grave"]
    told = sum(figures[name] for name in (*COUNTED, "said_while_dying"))
    assert (told, figures.get("ended")) == (figures["utterances"], None)
    assert figures["utterances"] == UTTERANCES
    assert sum(figures["faults"].values()) > UTTERANCES / 2


def test_a_day_in_mandarin_with_a_real_engine_ends_well() -> None:
    needs_package("sherpa-onnx")
    needs_package("kaldi-native-fbank")
    model = SherpaSettings(folder=MODELS / "micro_zh" / "streaming-transducer")
    settings = Settings(engine=EngineSettings(name="sherpa", sherpa=model))
    voice = Recordings(settings, MODELS / "micro_zh" / "manifest.jsonl", "zh")

    figures = measured(UTTERANCES, 3, voice=voice, messages="zh")

    assert {name: figures[name] for name in GRAVE} == dict.fromkeys(GRAVE, 0), figures["grave"]
    told = sum(figures[name] for name in (*COUNTED, "said_while_dying"))
    assert (told, figures.get("ended")) == (figures["utterances"], None)
    assert figures["utterances"] == UTTERANCES
