"""What is said to people: both catalogues say the same things, and every error says what to do."""

import errno
import os
import re
import string
from importlib.resources import files
from pathlib import Path

import pytest

from voice_ime import errors
from voice_ime.errors import ConfigError, FileUnreadable, LanguageNotSupported, UnknownEngine, VoiceImeError
from voice_ime.messages import LANGUAGES, Messages, language_of_locale

ROOT = Path(__file__).parents[2]
SOURCES = [source for folder in ("voice_ime", "clients", "scripts") for source in (ROOT / folder).rglob("*.py")]


def lines_of(language: str) -> list[str]:
    return files("voice_ime.messages").joinpath(f"{language}.toml").read_text("utf-8").splitlines()


def text_of(messages: Messages, key: str) -> str:
    return messages._texts[key]


def keys_of(language: str) -> list[str]:
    return sorted(Messages(language).keys())


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def all_errors(above: type[VoiceImeError] = VoiceImeError) -> list[type[VoiceImeError]]:
    below = [each for direct in above.__subclasses__() for each in all_errors(direct)]
    return [each for each in {above, *below} if each.__module__ == errors.__name__]


def test_both_languages_have_the_same_keys():
    assert Messages("en").keys() == Messages("zh").keys()


def test_both_languages_fill_in_the_same_values():
    english, chinese = Messages("en"), Messages("zh")
    differing = [
        key
        for key in english.keys() & chinese.keys()
        if values_in(text_of(english, key)) != values_in(text_of(chinese, key))
    ]
    assert differing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_comment_above_each_key_says_when_it_is_heard(language: str):
    """The remedy of an error is heard right after its message, so one comment serves both."""
    bare, commented = [], False
    for number, line in enumerate(lines_of(language), 1):
        if line.startswith("#"):
            commented = True
        elif match := re.match(r"(\w+) *=", line):
            if not commented and match[1] != "remedy":
                bare.append(f"{number}: {match[1]}")
            commented = False
        elif line.startswith("["):
            commented = False
    assert bare == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty(language: str):
    messages = Messages(language)
    assert [key for key in keys_of(language) if not text_of(messages, key).strip()] == []


def test_the_chinese_sentences_are_chinese():
    messages = Messages("zh")
    bare = {key: re.sub(r"\{\w+\}", "", text_of(messages, key)) for key in keys_of("zh")}
    assert [key for key, text in bare.items() if re.search("[A-Za-z]", text) and not re.search("[一-鿿]", text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_error_says_what_is_wrong_and_what_to_do(language: str):
    keys = Messages(language).keys()
    wanted = {f"error.{each.code}.{part}" for each in all_errors() for part in ("message", "remedy")}
    assert wanted - keys == set()


def test_each_sentence_about_an_error_belongs_to_an_error():
    codes = {each.code for each in all_errors()}
    assert {key.split(".")[1] for key in keys_of("en") if key.startswith("error.")} - codes == set()


def test_no_two_errors_share_a_code():
    codes = [each.code for each in all_errors()]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_values_that_an_error_documents_are_enough_for_its_sentences(language: str):
    messages = Messages(language)
    for each in all_errors():
        documented = set(re.findall(r"`(\w+)`", each.__doc__ or ""))
        needed = values_in(text_of(messages, f"error.{each.code}.message"))
        needed |= values_in(text_of(messages, f"error.{each.code}.remedy"))
        assert needed <= documented, each.__name__


def test_an_error_becomes_two_sentences():
    error = ConfigError(where="server.port", detail="too large")
    assert Messages("en").error(error) == (
        "The setting server.port is wrong: too large.",
        "Correct it and start again.",
    )
    assert Messages("zh").error(error)[0] == "设置 server.port 有误：too large。"


def test_an_unknown_language_is_answered_in_english():
    assert Messages("xx").language == "en"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_CN"}, "zh"),
    ],
)
def test_the_locale_decides_the_language(environment: dict[str, str], language: str):
    assert language_of_locale(environment) == language


def test_every_sentence_the_program_asks_for_is_there():
    asked = {key for source in SOURCES for key in re.findall(r'messages\(\s*"([a-z_.]+)"', source.read_text("utf-8"))}
    assert asked - Messages("en").keys() == set()


def test_no_sentence_is_left_over():
    """A key is used where it stands whole in code, or where its beginning stands before the `{` of an f-string."""
    code = "\n".join(source.read_text("utf-8") for source in SOURCES)
    whole = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', code))
    beginnings = tuple(set(re.findall(r'f"([a-z_]+\.(?:[a-z_]+\.)*)\{', code)))
    unused = [key for key in keys_of("en") if key not in whole and not key.startswith(beginnings)]
    assert unused == []


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The engine an-engine does not hear the language Chinese."),
        ("zh", "引擎 an-engine 听不懂中文。"),
    ],
)
def test_languages_are_told_by_their_names(language: str, sentence: str) -> None:
    error = LanguageNotSupported(language="zh", engine="an-engine", known=("en", "ja"))
    message, remedy = Messages(language).error(error)
    assert message == sentence
    assert ("English, Japanese" if language == "en" else "英语、日语") in remedy


def test_several_things_are_listed_with_the_marks_of_the_language() -> None:
    error = UnknownEngine(engine="none", known=("one", "another"))
    assert "one, another" in " ".join(Messages("en").error(error))
    assert "one、another" in " ".join(Messages("zh").error(error))


@pytest.mark.parametrize(
    ("code", "english", "chinese"),
    [
        (errno.ENOENT, "list.csv could not be read: there is no such file or folder.", "没有这个文件或文件夹"),
        (errno.EACCES, "list.csv could not be read: you have no right to do that.", "没有这样做的权限"),
        (errno.EISDIR, "list.csv could not be read: it is a folder.", "这是一个文件夹"),
    ],
)
def test_the_reasons_of_the_system_are_told_in_plain_words(code: int, english: str, chinese: str) -> None:
    error = FileUnreadable(path="list.csv", detail=os.strerror(code))
    assert Messages("en").error(error)[0] == english
    assert chinese in Messages("zh").error(error)[0]
