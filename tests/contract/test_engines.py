"""The contract of engines, for each row of the catalogue whose model is on this machine, and for one made up here."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.engine_contract import MODELS, EngineContract, Subject, subject_of
from voice_ime.engine.catalog import Row, load, names
from voice_ime.errors import EngineUnavailable, ModelNotFound
from voice_ime.settings import EngineSettings, WhisperSettings

SETTINGS = {
    "whisper": EngineSettings(name="whisper", whisper=WhisperSettings(folder=MODELS / "whisper_micro", threads=1)),
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


ONE_FILE = '''
import numpy as np

from voice_ime.engine.base import SAMPLE_RATE, Capabilities, Engine, Hypothesis, Utterance, Word
from voice_ime.errors import LanguageNotSupported


class HumEngine(Engine):
    """Hears how much sound there was: one "hum" for each half second."""

    capabilities = Capabilities(engine="hum", languages=("en",))

    def begin(self, options):
        if options.language not in (None, "en"):
            raise LanguageNotSupported(language=options.language, engine="hum", known="en")
        return HumUtterance()

    def close(self):
        pass


class HumUtterance(Utterance):
    def __init__(self):
        self.loud = 0
        self.told = 0

    def feed(self, samples):
        self.loud += int((np.abs(samples) > 0.001).sum())

    def partial(self):
        if self.loud == self.told:
            return None
        self.told = self.loud
        return self.hear(final=False)

    def finish(self):
        return self.hear(final=True)

    def hear(self, final):
        hums = -(-self.loud // (SAMPLE_RATE // 2))
        return Hypothesis(" ".join(["hum"] * hums), (Word("hum"),) * hums, final=final)

    def cancel(self):
        self.loud = self.told = 0
'''


class TestAnEngineOfOneFileAndOneRow(EngineContract):
    """Nothing else needs to change for a new engine: docs/adding-an-engine.md."""

    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
        folder = tmp_path_factory.mktemp("engine")
        (folder / "hum_engine.py").write_text(ONE_FILE, "utf-8")
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
