"""The report: one page, every drawing also a table, nothing from elsewhere."""

import html.parser
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs_package

needs_package("jiwer")
needs_package("whisper-normalizer", "whisper_normalizer")

from benchmarks.output import lines  # noqa: E402
from benchmarks.report import document  # noqa: E402
from voice_ime.cli import main  # noqa: E402
from voice_ime.commands import ExitCode  # noqa: E402
from voice_ime.messages import LANGUAGES, Messages  # noqa: E402

DELAY = {"p50": 20.0, "p95": 50.5, "p99": 60.0, "n": 3}
ACCURACY = {"bench": "accuracy", "complete": True, "wer": 0.2, "wer_ci95": [0.1, 0.3], "clips": 3,
            "peers": {"other <one>": {"wer": 0.4, "wer_ci95": None}}}  # fmt: skip
LATENCY = {"bench": "latency", "complete": False, "final_delay_ms": DELAY, "first_partial_ms": DELAY, "clips": 3,
           "about": {"date": "2026-01-01"}, "peers": {"other": {"final_delay_ms": DELAY | {"p50": None}}}}  # fmt: skip
LOAD = {"bench": "load", "complete": True, "limit_ms": 300.0, "streams_held": 4, "peers": {},
        "stages": [{"streams": 4, "final_delay_ms": DELAY}, {"streams": 8, "final_delay_ms": DELAY}]}  # fmt: skip
RUNS: list[dict[str, Any]] = [ACCURACY, LATENCY, LOAD]


class Page(html.parser.HTMLParser):
    """Counts elements, and finds those that were never closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(params=LANGUAGES)
def page(request: pytest.FixtureRequest) -> Page:
    return Page(document(RUNS, Messages(request.param)))


def test_all_that_is_opened_is_closed(page: Page) -> None:
    assert page.open == []


def test_each_drawing_has_a_name_and_a_table_that_says_the_same(page: Page) -> None:
    drawings = page.all("svg")
    assert len(drawings) == 4
    assert all(each["role"] == "img" and each["aria-label"] for each in drawings)
    assert len(page.all("table")) == len(drawings) + len(RUNS)


def test_tables_have_captions_and_heads(page: Page) -> None:
    assert len(page.all("caption")) == len(page.all("table"))
    assert {each["scope"] for each in page.all("th")} == {"col", "row"}


def test_no_two_landmarks_have_the_same_name() -> None:
    page = Page(document([*RUNS, *RUNS], Messages("en")))
    names = [each["aria-label"] for each in page.all("div") if each.get("role") == "region"]
    assert len(set(names)) == len(names)


def test_headings_leave_out_no_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_page_says_its_language() -> None:
    assert [Page(document(RUNS, Messages(language))).all("html")[0]["lang"] for language in LANGUAGES] == [
        "en",
        "zh-CN",
    ]


def test_the_page_needs_nothing_else() -> None:
    page = document(RUNS, Messages("en"))
    assert re.findall(r"(?:src|href|url)\s*[=(]", page) == []
    assert "<script" not in page


def test_names_of_systems_cannot_break_the_page() -> None:
    page = document(RUNS, Messages("en"))
    assert "<one>" not in page
    assert "other &lt;one&gt;" in page


def test_an_interrupted_run_says_so() -> None:
    page = document([LATENCY], Messages("en"))
    assert Messages("en")("bench.interrupted") in page


def test_figures_are_sentences_on_the_terminal() -> None:
    said = lines(LATENCY, Messages("en"))
    assert "From endpoint to text, milliseconds: half within 20, 95 % within 50.5, 99 % within 60" in said
    assert "other:" in said


def test_the_report_is_written_where_one_wants_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, report = tmp_path / "load.json", tmp_path / "report.html"
    figures.write_text(json.dumps(LOAD), "utf-8")
    assert main(["bench", "report", str(figures), "--output", str(report)], environment={}) == ExitCode.OK
    assert report.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert str(report) in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_figures_belong_to_is_told_in_the_language_of_the_page(language: str) -> None:
    messages = Messages(language)
    page = document([ACCURACY | {"about": {"kind": "read"}, "system": "an engine, streamed"}], messages)
    assert f"<li>{messages('bench.line', name=messages('bench.about.kind'), value='read')}</li>" in page
    assert "an engine, streamed</h2>" in page


def test_recordings_that_were_left_out_are_not_hidden() -> None:
    assert "one.wav, two.wav" in document([ACCURACY | {"unreadable": ["one.wav", "two.wav"]}], Messages("en"))


def test_a_report_goes_nowhere_where_no_file_can_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, nowhere = tmp_path / "load.json", tmp_path / "nowhere" / "report.html"
    figures.write_text(json.dumps(LOAD), "utf-8")
    assert main(["bench", "report", str(figures), "--output", str(nowhere)], environment={}) == ExitCode.NO_OUTPUT
    assert str(nowhere) in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "no figures",
        '{"bench": ["accuracy"]}',
        '{"bench": "load", "stages": [{}]}',
        '{"bench": "latency", "final_delay_ms": null}',
        '{"bench": "accuracy", "wer": "x", "peers": [1]}',
    ],
)
def test_what_are_no_figures_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "other.json"
    figures.write_text(text, "utf-8")
    report = str(tmp_path / "report.html")
    assert main(["bench", "report", str(figures), "--output", report], environment={}) == ExitCode.WRONG_USAGE
    assert "other.json" in capsys.readouterr().err
