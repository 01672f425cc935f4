"""Whose words are used in dictation."""

import pytest

from voice_ime.command_line import Parser
from voice_ime.commands.whose import add_profile, profile_of
from voice_ime.errors import ConfigError, WrongName
from voice_ime.messages import Messages
from voice_ime.settings import Settings, load_settings

SAY = Messages("en")


def profile(*words: str, settings: Settings | None = None) -> str | None:
    parser = Parser(messages=SAY)
    add_profile(parser, SAY)
    return profile_of(parser.parse_args(words), settings or Settings())


def test_without_a_wish_the_usual_words_are_used() -> None:
    assert profile() == "default"


def test_the_command_line_goes_before_the_settings() -> None:
    assert profile(settings=Settings(profile="anna")) == "anna"
    assert profile("--profile", "bob", settings=Settings(profile="anna")) == "bob"


def test_an_empty_name_means_nobodys_words() -> None:
    assert profile(settings=Settings(profile="")) is None
    assert profile("--profile", "") is None


@pytest.mark.parametrize("name", ["Anna", "../anna", "-x y", "a" * 65, "安娜", "anna\n"])
def test_a_name_that_no_profile_can_have_is_refused(name: str) -> None:
    with pytest.raises(WrongName):
        profile(f"--profile={name}")
    with pytest.raises(ConfigError):
        load_settings(None, {"profile": name})
