"""The contract of engines, for each row of the catalogue whose model is on this machine, and for one made up here."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.engine_contract import MODELS, EngineContract, Subject, subject_of
from tests.needs import needs_package
from voice_ime.engine.catalog import Row, load, names
from voice_ime.errors import EngineUnavailable, ModelNotFound
from voice_ime.settings import EngineSettings, MoonshineStreamingSettings, SherpaSettings, WhisperSettings

ROOT = Path(__file__).parents[2]
SHERPA = ("streaming-transducer", "streaming-ctc", "transducer", "ctc")
"""Kinds of models for sherpa-onnx that have a micro model here."""


def sherpa(kind: str) -> EngineSettings:
    return EngineSettings(name="sherpa", sherpa=SherpaSettings(folder=MODELS / "micro_zh" / kind, threads=1))


SETTINGS = {
    "sherpa": sherpa(SHERPA[0]),
    "whisper": EngineSettings(
        name="whisper", whisper=WhisperSettings(folder=MODELS / "whisper_micro", threads=1, compute_type="int8")
    ),
    "moonshine-streaming": EngineSettings(
        name="moonshine-streaming", moonshine_streaming=MoonshineStreamingSettings(kind="tiny")
    ),
}
"""For engines whose model is not where the default settings look for it."""


class TestEachEngineOfTheCatalogue(EngineContract):
    @pytest.fixture(scope="class", params=names())
    @classmethod
    def subject(cls, request: pytest.FixtureRequest) -> Iterator[Subject]:
        settings = SETTINGS.get(request.param, EngineSettings(name=request.param))
        try:
            yield from subject_of(request.param, lambda: load(settings))
        except EngineUnavailable as missing:
            pytest.skip(f"needs package {missing.values['package']}")
        except ModelNotFound as missing:
            pytest.skip(f"the model {missing.values['model']} is not on this machine")


class TestEachKindOfSherpaModel(EngineContract):
    @pytest.fixture(scope="class", params=SHERPA[1:])
    @classmethod
    def subject(cls, request: pytest.FixtureRequest) -> Iterator[Subject]:
        needs_package("sherpa-onnx")
        yield from subject_of("sherpa", lambda: load(sherpa(request.param)))


GUIDES = [ROOT / "docs" / "adding-an-engine.md", ROOT / "docs" / "zh" / "adding-an-engine.md"]


def example_of(guide: Path) -> str:
    """The first Python of a guide: a whole engine."""
    found = re.search(r"```python\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_both_guides_show_the_same_engine() -> None:
    assert len({example_of(guide) for guide in GUIDES}) == 1


class TestAnEngineOfOneFileAndOneRow(EngineContract):
    """The engine of the guide, as its own file; nothing else needs to change."""

    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
        folder = tmp_path_factory.mktemp("engine")
        (folder / "hum_engine.py").write_text(example_of(GUIDES[0]), "utf-8")
        row = Row(name="hum", where="hum_engine:HumEngine", summary="engine.script.summary", needs=("numpy",))
        with importable(folder, "hum_engine"):
            yield from subject_of("hum", lambda: load(EngineSettings(name="hum"), (row,)))


class importable:
    """For a while, Python finds modules in `folder`; afterwards it has forgotten `module`."""

    def __init__(self, folder: Path, module: str) -> None:
        self._folder = str(folder)
        self._module = module

    def __enter__(self) -> None:
        sys.path.insert(0, self._folder)

    def __exit__(self, *error: object) -> None:
        sys.path.remove(self._folder)
        sys.modules.pop(self._module, None)
