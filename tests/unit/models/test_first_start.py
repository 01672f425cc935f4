"""The first start of somebody whose language the engine does not hear: a recommendation, once, in words."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.hub import Hub
from tests.unit.models.shop import from_hub
from voice_ime.commands.models import first_start, offer
from voice_ime.messages import Messages
from voice_ime.models.chooser import Chooser
from voice_ime.models.manifest import Choice, Manifest
from voice_ime.models.network import Network
from voice_ime.models.recommend import Resources
from voice_ime.models.shelf import Shelf
from voice_ime.settings import EngineSettings, Settings, load_settings

EN, ZH = Messages("en"), Messages("zh")


def arguments(folder: Path, language: str | None = None, engine: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(
        state_folder=folder / "state",
        settings_file=folder / "settings.toml",
        environment={},
        language=language,
        engine=engine,
        model=None,
    )


def test_a_mandarin_speaker_hears_once_what_to_get(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first_start(arguments(tmp_path), Settings(language="zh"), ZH)
    said = capsys.readouterr().out
    assert said.startswith("你听写用的语言：中文、英语。")
    assert "voice-ime models pull" in said
    first_start(arguments(tmp_path), Settings(language="zh"), ZH)
    assert capsys.readouterr().out == ""


def test_the_language_that_will_be_spoken_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first_start(arguments(tmp_path, language="zh"), Settings(), EN)
    assert capsys.readouterr().out.startswith("You dictate in: Chinese.")


def test_somebody_whose_language_is_heard_is_left_in_peace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first_start(arguments(tmp_path), Settings(), EN)
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "state").exists()


def test_somebody_who_chose_an_engine_is_left_in_peace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first_start(arguments(tmp_path, engine="script"), Settings(language="zh"), ZH)
    first_start(arguments(tmp_path), Settings(language="zh", engine=EngineSettings(name="moonshine-tiny-en")), ZH)
    assert capsys.readouterr().out == ""


@pytest.fixture
def chooser(hub: Hub, tmp_path: Path) -> Chooser:
    model = from_hub(hub)
    manifest = Manifest(model=(model,), choice=(Choice(model=model.id, languages=("en",)),))
    return Chooser(manifest, Shelf(tmp_path / "models"), Network(hub.address), Settings(), Resources(2, 8000, 9000))


def saying(answer: str) -> Callable[[str], str]:
    return lambda question: answer


@pytest.mark.parametrize("answer", ["y", "", " YES ", "是"])
def test_a_yes_fetches_the_model_and_uses_it(answer: str, chooser: Chooser, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    assert offer(chooser, file, EN, saying(answer))
    assert chooser.shelf.installed(chooser.manifest.get("small")) is not None
    assert load_settings(file, {}).engine.whisper.folder == tmp_path / "models" / "small"


def no_answer(question: str) -> str:
    raise EOFError


@pytest.mark.parametrize("ask", [saying("n"), saying("what?"), no_answer])
def test_anything_else_changes_nothing(ask: Callable[[str], str], chooser: Chooser, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    assert not offer(chooser, file, EN, ask)
    assert not file.exists()
    assert not (tmp_path / "models").exists()
