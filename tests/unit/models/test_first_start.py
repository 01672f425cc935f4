"""The first start of somebody whose language the engine does not hear: a recommendation, once, in words."""

import argparse
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.server.hub import Fault, Hub
from tests.unit.models.shop import Heard, from_hub
from voice_ime.commands.models import first_start, offer
from voice_ime.errors import FetchError
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
    assert said.startswith("您听写用的语言：中文、英语。")
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


def test_what_is_recommended_is_said_too_and_nothing_is_said_later(tmp_path: Path) -> None:
    heard = Heard()
    first_start(arguments(tmp_path), Settings(language="zh"), ZH, lambda: nullcontext(heard))
    assert heard.said[0].startswith("您听写用的语言：中文、英语。")
    assert heard.said[1].startswith("请输入：voice-ime models pull")
    assert len(heard.said) == 2
    first_start(arguments(tmp_path), Settings(language="zh"), ZH, no_voice_expected)


def no_voice_expected() -> nullcontext[Heard]:
    raise AssertionError("there is nothing to say")


def test_no_voice_is_opened_for_somebody_who_is_left_in_peace(tmp_path: Path) -> None:
    first_start(arguments(tmp_path), Settings(), EN, no_voice_expected)
    first_start(arguments(tmp_path, engine="script"), Settings(language="zh"), ZH, no_voice_expected)


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


def test_question_download_and_choice_are_heard(chooser: Chooser, tmp_path: Path) -> None:
    heard = Heard()
    assert offer(chooser, tmp_path / "settings.toml", EN, saying(""), heard)
    assert heard.said == [
        "Get Small now? For yes, press Enter. For no, type n, then press Enter.",
        "(quiet)",
        "Getting Small, 1 megabytes.",
        "Small is here, and whole.",
        "From now on you dictate with Small.",
    ]


def test_a_model_that_is_here_already_is_not_offered_to_be_fetched(
    chooser: Chooser, hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(chooser, tmp_path / "settings.toml", EN, saying(""))
    capsys.readouterr()
    heard = Heard()
    assert offer(chooser, tmp_path / "others.toml", EN, saying(""), heard)
    assert heard.said[0].startswith("Dictate with Small from now on?")
    assert capsys.readouterr().out.startswith("From now on you dictate with Small. This was written into ")


def test_who_answers_hears_no_more_of_the_question(chooser: Chooser, tmp_path: Path) -> None:
    heard = Heard()

    def interrupted(question: str) -> str:
        raise KeyboardInterrupt

    assert not offer(chooser, tmp_path / "settings.toml", EN, saying("n"), heard)
    assert heard.said[1:] == ["(quiet)"]
    with pytest.raises(KeyboardInterrupt):
        offer(chooser, tmp_path / "settings.toml", EN, interrupted, heard)
    assert heard.said[-1] == "(quiet)"


def test_a_download_that_fails_is_told_by_whoever_offered_it(chooser: Chooser, hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("missing")]
    heard = Heard()
    with pytest.raises(FetchError):
        offer(chooser, tmp_path / "settings.toml", EN, saying(""), heard)
    assert heard.said[-1].startswith("Getting Small")


def no_answer(question: str) -> str:
    raise EOFError


@pytest.mark.parametrize("ask", [saying("n"), saying("what?"), no_answer])
def test_anything_else_changes_nothing(ask: Callable[[str], str], chooser: Chooser, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    assert not offer(chooser, file, EN, ask)
    assert not file.exists()
    assert not (tmp_path / "models").exists()
