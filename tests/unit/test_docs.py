"""The documents say what is so: links lead somewhere, both languages say the same, errors have their right names."""

import re
import tomllib
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from voice_ime_desktop.hotkeys.control import WORDS

from voice_ime import errors
from voice_ime.commands import ExitCode
from voice_ime.errors import (
    AccessError,
    LanguageNotSupported,
    ProtocolError,
    RecognitionFailed,
    ServerFull,
    VoiceImeError,
)
from voice_ime.messages import Messages
from voice_ime.settings import DesktopSettings, Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page.name for page in DOCS.glob("*.md"))
TWINS = [
    (ROOT / "README.md", ROOT / "README.zh.md"),
    (ROOT / "models" / "README.md", ROOT / "models" / "README.zh.md"),
    *((DOCS / page, DOCS / "zh" / page) for page in PAGES),
]
EVERY = [*chain(*TWINS), *sorted(DOCS.glob("adr/*.md"))]
ON_THE_WIRE = (ProtocolError, AccessError, ServerFull, RecognitionFailed, LanguageNotSupported)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """Without the blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```json\n(.*?)^```", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def headings(page: Path) -> list[tuple[int, str]]:
    return [(len(signs), title) for signs, title in re.findall(r"^(#+) (.*)$", prose(page), flags=re.MULTILINE)]


def links(page: Path) -> list[str]:
    return [target for target in re.findall(r"\]\(([^)#]*)", prose(page)) if target and "://" not in target]


def kinds(above: type[VoiceImeError]) -> Iterator[type[VoiceImeError]]:
    yield above
    for below in above.__subclasses__():
        yield from kinds(below)


CODES = {kind.code for kind in kinds(VoiceImeError) if kind.__module__ == errors.__name__}
WIRE_CODES = {kind.code for above in ON_THE_WIRE for kind in kinds(above)}


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_readme_is_short(page: str) -> None:
    assert len((ROOT / page).read_text("utf-8").splitlines()) < 120


def test_every_page_is_there_in_both_languages() -> None:
    assert sorted(page.name for page in (DOCS / "zh").glob("*.md")) == PAGES
    assert all(english.exists() and chinese.exists() for english, chinese in TWINS)


@pytest.mark.parametrize(("english", "chinese"), TWINS, ids=[name(english) for english, _ in TWINS])
def test_both_languages_have_the_same_headings(english: Path, chinese: Path) -> None:
    assert [level for level, _ in headings(english)] == [level for level, _ in headings(chinese)]


@pytest.mark.parametrize("page", EVERY, ids=name)
def test_headings_go_down_one_step_at_a_time(page: Path) -> None:
    levels = [level for level, _ in headings(page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


@pytest.mark.parametrize("page", EVERY, ids=name)
def test_links_lead_to_something_that_is_there(page: Path) -> None:
    assert [target for target in links(page) if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", EVERY, ids=name)
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    targets = re.findall(r"\]\(([^):]*)#([^)]*)\)", prose(page))
    assert [there for file, there in targets if there not in anchors(page.parent / file if file else page)] == []


def anchors(page: Path) -> set[str]:
    """As they are made of headings where pages are shown."""
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for _, title in headings(page)}


@pytest.mark.parametrize("page", [DOCS / "index.md", DOCS / "zh" / "index.md"], ids=name)
def test_the_index_names_every_page(page: Path) -> None:
    assert {other.name for other in page.parent.glob("*.md")} - {"index.md"} <= set(links(page))


@pytest.mark.parametrize("page", [DOCS / "protocol.md", DOCS / "zh" / "protocol.md"], ids=name)
def test_every_error_of_the_wire_is_documented(page: Path) -> None:
    assert {code for code in WIRE_CODES if f"`{code}`" not in prose(page)} == set()


@pytest.mark.parametrize("page", [DOCS / "protocol.md", DOCS / "zh" / "protocol.md"], ids=name)
def test_every_error_that_is_listed_exists(page: Path) -> None:
    """Those of the list: lines that begin with a code under the last heading that speaks of errors."""
    section = re.split(r"^## (?:Errors|错误)$", prose(page), flags=re.MULTILINE)[1].split("\n## ")[0]
    listed = re.findall(r"^- `(\w+)`", section, flags=re.MULTILINE)
    assert listed
    assert set(listed) - CODES == set()


def test_the_examples_are_the_same_in_both_languages() -> None:
    assert blocks(DOCS / "protocol.md") == blocks(DOCS / "zh" / "protocol.md")


@pytest.mark.parametrize("name", ["troubleshooting.md", "desktop.md"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_sentences_that_a_page_quotes_are_those_that_are_said(name: str, language: str) -> None:
    page = DOCS / ("" if language == "en" else "zh") / name
    said = [sentence_pattern(sentence) for sentence in sentences(language)]
    quoted = re.findall(r'"([^"]+\.)"|“([^”]+。)”', prose(page))
    assert quoted
    assert [quote for quote in map(" ".join, each_sentence(quoted)) if not any(p.fullmatch(quote) for p in said)] == []


def each_sentence(quoted: list[tuple[str, str]]) -> Iterator[list[str]]:
    """The words of each sentence; a quotation can have several, and can be broken over two lines."""
    for quote in map("".join, quoted):
        for sentence in re.split(r"(?<=\.)\s|(?<=。)", quote):
            if sentence:
                yield sentence.split()


def sentences(language: str) -> Iterator[str]:
    """Each sentence of the catalogue by itself, but for those that are hardly more than a value filled in."""
    messages = Messages(language)
    for key in sorted(messages.keys()):
        for sentence in re.split(r"(?<=\.) |(?<=。)", messages._texts[key]):
            if len(re.findall(r"\w", re.sub(r"\{\w+\}", "", sentence))) >= 3:
                yield sentence


def sentence_pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(".+".join(re.escape(part) for part in re.split(r"\{\w+\}", sentence)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_reason_for_which_a_text_is_not_inserted_can_be_looked_up(language: str) -> None:
    page = prose(DOCS / ("" if language == "en" else "zh") / "troubleshooting.md").replace("\n", " ")
    messages = Messages(language)
    reasons = [key for key in messages.keys() if key.startswith("desktop.reason.")]  # noqa: SIM118
    first = {key: re.split(r"(?<=\.) ", messages(key))[0] for key in reasons}
    assert {key for key, sentence in first.items() if sentence not in page} == set()


@pytest.mark.parametrize("page", [DOCS / "desktop.md", DOCS / "zh" / "desktop.md"], ids=name)
def test_the_settings_of_the_desktop_are_documented_with_their_values(page: Path) -> None:
    shown = re.findall(r"^```\n(\[desktop\]\n.*?)^```", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    tables = [tomllib.loads(block)["desktop"] for block in shown]
    assert DesktopSettings().model_dump() in tables
    assert all(DesktopSettings(**table) for table in tables)


@pytest.mark.parametrize("page", [DOCS / "desktop.md", DOCS / "zh" / "desktop.md"], ids=name)
def test_every_word_for_a_key_is_documented(page: Path) -> None:
    assert {word for word in WORDS if not re.search(rf"`(voice-ime key )?{word}`", prose(page))} == set()


@pytest.mark.parametrize("page", [DOCS / "troubleshooting.md", DOCS / "zh" / "troubleshooting.md"], ids=name)
def test_all_exit_codes_are_documented(page: Path) -> None:
    section = re.split(r"^## (?:Exit codes|退出码)$", prose(page), flags=re.MULTILINE)[1].split("\n## ")[0]
    assert [int(code) for code in re.findall(r"^- (\d+)[:：]", section, flags=re.MULTILINE)] == sorted(ExitCode)


SETTINGS_PAGES = [DOCS / "settings.md", DOCS / "zh" / "settings.md"]
LINE = re.compile(r"^- `(\w+)(?: = (.+?))?`[，,：:](.*?)$", re.MULTILINE)


def settings_of(page: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """By heading in square brackets, "" for the top: each setting with its default, as TOML, and what follows it."""
    tables = {"": LINE.findall(prose(page).split("[desktop]")[0])}
    for part in re.split(r"^##+ ", prose(page), flags=re.MULTILINE)[1:]:
        if heading := re.search(r"`\[([a-z_.]+)\]`", part):
            unbroken = re.sub(r"\n  ", " ", part)
            tables[heading[1]] = LINE.findall(unbroken)
    return {name: {key: (default, rest) for key, default, rest in rows} for name, rows in tables.items()}


def parts_of(kind: type[BaseModel], heading: str = "") -> Iterator[tuple[str, str, FieldInfo]]:
    """Each setting with the heading under which it is written."""
    for key, field in kind.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from parts_of(field.annotation, f"{heading}.{key}" if heading else key)
        else:
            yield heading, key, field


def limits_of(field: FieldInfo) -> Iterator[str]:
    """All that its line must name: limits of a number, and what else than the default a choice can be."""
    limits = [getattr(rule, side, None) for rule in field.metadata for side in ("ge", "gt", "le", "lt")]
    yield from (f"{limit:.10g}" for limit in limits if limit is not None)
    yield from (f'"{one}"' for one in get_args(field.annotation) if isinstance(one, str) and one != field.default)


@pytest.mark.parametrize("page", SETTINGS_PAGES, ids=name)
def test_every_setting_is_documented_with_its_default(page: Path) -> None:
    documented = {
        (heading, key): tomllib.loads(f"x = {default}")["x"] if default else None
        for heading, rows in settings_of(page).items()
        for key, (default, _) in rows.items()
    }
    assert documented == {
        (heading, key): to_jsonable_python(field.default) for heading, key, field in parts_of(Settings)
    }


@pytest.mark.parametrize("page", SETTINGS_PAGES, ids=name)
def test_every_setting_is_documented_with_what_it_can_be(page: Path) -> None:
    tables = settings_of(page)
    bare = [
        f"{heading}.{key}: {limit}"
        for heading, key, field in parts_of(Settings)
        for limit in limits_of(field)
        if limit not in tables[heading][key][1]
    ]
    assert bare == []
