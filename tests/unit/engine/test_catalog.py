"""The table of engines."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from voice_ime.engine.catalog import ROWS, Row, facts, load, names
from voice_ime.engine.script import ScriptEngine
from voice_ime.errors import EngineUnavailable, UnknownEngine
from voice_ime.messages import LANGUAGES, Messages
from voice_ime.settings import EngineSettings

ROOT = Path(__file__).parents[3]


def test_the_default_engine_is_the_first_row():
    assert names()[0] == EngineSettings().name


def test_an_engine_that_is_not_in_the_table_is_refused_with_those_that_are():
    with pytest.raises(UnknownEngine) as refused:
        load(EngineSettings(name="parrot"))
    assert refused.value.values["engine"] == "parrot"
    assert "whisper" in str(refused.value.values["known"])


def test_the_chosen_engine_gets_its_part_of_the_settings():
    settings = EngineSettings.model_validate({"name": "script", "script": {"lines": ["hello"]}})
    engine = load(settings)
    assert isinstance(engine, ScriptEngine)


def test_an_engine_whose_package_is_missing_says_which():
    row = Row(name="wise", where="voice_ime.engine.script:ScriptEngine", summary="", needs=("numpy", "no-such-package"))
    with pytest.raises(EngineUnavailable) as refused:
        load(EngineSettings(name="wise"), (row,))
    assert refused.value.values == {"engine": "wise", "package": "no-such-package"}


def test_a_package_that_an_engine_forgot_to_list_is_named_too(tmp_path: Path):
    (tmp_path / "forgetful.py").write_text("import no_such_package\n", "utf-8")
    (tmp_path / "wrong.py").write_text("import wrong.part\n", "utf-8")
    program = """
from voice_ime.engine.catalog import Row, load
from voice_ime.errors import EngineUnavailable
from voice_ime.settings import EngineSettings
for module in ("forgetful", "wrong"):
    try:
        load(EngineSettings(name="wise"), (Row(name="wise", where=f"{module}:Wise", summary=""),))
    except EngineUnavailable as unavailable:
        print(unavailable.values["package"])
    except ImportError as ours:
        print("a fault of the engine itself:", ours.name)
"""
    environment = {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["no_such_package", "a fault of the engine itself: wrong.part"]


def test_the_facts_of_an_engine_are_told_without_loading_it():
    assert facts("moonshine-tiny-en").languages == ("en",)
    assert facts("whisper").languages == ()


def test_reading_the_table_imports_no_engine():
    program = (
        "import sys; from voice_ime.engine.catalog import ROWS; [row.missing() for row in ROWS];"
        "print([name for name in ('onnxruntime', 'ctranslate2', 'faster_whisper', 'av') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_is_whole(row: Row):
    module, _, attribute = row.where.partition(":")
    assert importlib.util.find_spec(module) is not None
    assert attribute.isidentifier()
    assert row.settings is None or row.settings in EngineSettings.model_fields
    assert all(Messages(language)(row.summary) for language in LANGUAGES)


def test_no_two_rows_share_a_name():
    assert len(set(names())) == len(ROWS)
