"""Choosing a model writes one part of the settings file and leaves the rest as the person wrote it."""

from pathlib import Path

import pytest

from tests.unit.models.shop import model_of
from voice_ime.engine.catalog import ROWS
from voice_ime.errors import ConfigError, ModelNotUsable
from voice_ime.models.manifest import read_manifest
from voice_ime.models.use import engine_settings, row_of, write_choice
from voice_ime.settings import load_settings

MANIFEST = read_manifest()
SETTINGS_OF_MODELS = frozenset({"kind", "languages"})
OWN = """# my settings
language = "zh"  # I read Chinese

[server]
port = 4321

[engine]
workers = 3
name = "moonshine-tiny-en"

[engine.whisper]
beam_size = 5
"""


def use(file: Path, model: str, own_name: str | None = None) -> None:
    entry = MANIFEST.get(model)
    folder = None if entry.comes_with else Path("/models") / model
    write_choice(file, engine_settings(entry, folder, row_of(entry)), SETTINGS_OF_MODELS, own_name)


def test_the_chosen_model_is_in_the_settings_and_all_else_stays(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(OWN, "utf-8")
    use(file, "faster-whisper-base")
    settings = load_settings(file, {})
    assert (settings.engine.name, settings.engine.whisper.folder) == ("whisper", Path("/models/faster-whisper-base"))
    assert (settings.engine.workers, settings.engine.whisper.beam_size, settings.server.port) == (3, 5, 4321)
    assert '# my settings\nlanguage = "zh"  # I read Chinese\n' in file.read_text("utf-8")


def test_a_settings_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "config" / "voice-ime" / "settings.toml"
    use(file, "x-asr-480ms")
    engine = load_settings(file, {}).engine
    assert (engine.name, engine.sherpa.folder) == ("sherpa", Path("/models/x-asr-480ms"))
    assert engine.sherpa.kind == "streaming-transducer"


def test_what_the_last_model_needed_does_not_stay_behind(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    use(file, "x-asr-480ms")
    use(file, "sense-voice-int8")
    assert load_settings(file, {}).engine.sherpa.kind == "sense-voice"
    use(file, "faster-whisper-base")
    use(file, "moonshine-tiny-en")
    assert load_settings(file, {}).engine.name == "moonshine-tiny-en"


def test_a_model_under_a_name_of_ones_own_is_beside_the_usual_one(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(OWN, "utf-8")
    use(file, "faster-whisper-base")
    use(file, "x-asr-480ms", "my careful one")
    use(file, "x-asr-offline", "my careful one")
    use(file, "moonshine-tiny-en", "plain")
    engine = load_settings(file, {}).engine
    careful = engine.others["my careful one"]
    assert (engine.name, engine.whisper.beam_size) == ("whisper", 5)
    assert (careful.name, careful.sherpa.folder) == ("sherpa", Path("/models/x-asr-offline"))
    assert careful.sherpa.kind == "transducer"
    assert engine.others["plain"].name == "moonshine-tiny-en"


def test_the_usual_engine_and_another_one_do_not_share_a_name(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    use(file, "faster-whisper-base")
    before = file.read_text("utf-8")
    with pytest.raises(ConfigError):
        use(file, "faster-whisper-small", "whisper")
    assert file.read_text("utf-8") == before


@pytest.mark.parametrize("broken", ["[engine", "server = 5\n", "[engine.sherpa]\nnonsense = 1\n"])
def test_a_broken_settings_file_is_left_as_it_is(broken: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(broken)
    with pytest.raises(ConfigError):
        use(file, "x-asr-480ms")
    assert file.read_text() == broken


def test_a_model_that_no_engine_can_run_is_refused() -> None:
    with pytest.raises(ModelNotUsable):
        row_of(model_of(engine="of-the-future"), ROWS)
