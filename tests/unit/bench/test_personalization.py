"""The benchmark of personal vocabularies, on a few lines."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs_package
from tests.recordings import tone, write_wav

needs_package("jiwer")
needs_package("whisper-normalizer", "whisper_normalizer")

from benchmarks.personalization_data import Lists, Neighbours, Spoken, spoken  # noqa: E402
from benchmarks.personalization_scores import Errors, errors, intervals  # noqa: E402
from voice_ime.audio import to_pcm16  # noqa: E402
from voice_ime.cli import main  # noqa: E402
from voice_ime.commands import ExitCode  # noqa: E402
from voice_ime.personalize.phonetics.english import English  # noqa: E402

KEYS = {"wer", "u_wer", "b_wer", "replaced_right_to_wrong_per_1000", "ms_per_utterance"}
SAID = "we met kowalski in the city"
HEARD = "we met kowalsky in the city"
OTHERS = ["marabout", "quaffed", "thoracic", "dolomite"]

ONE = Spoken("7-1", tuple(SAID.split()), ("kowalski",), HEARD, tuple(OTHERS))


@pytest.fixture
def texts(tmp_path: Path) -> list[str]:
    hyps, refs = tmp_path / "hyps.tsv", tmp_path / "refs.tsv"
    hyps.write_text(f"7-1\t{HEARD}\n8-1\tfine\n", "utf-8")
    listed = json.dumps(["kowalski", *OTHERS])
    refs.write_text(f'7-1\t{SAID}\t["kowalski"]\t{listed}\n8-1\tfine\t[]\t{json.dumps(OTHERS)}\n', "utf-8")
    return ["--hyps", str(hyps), "--refs", str(refs)]


@pytest.fixture
def sounds(tmp_path: Path) -> list[str]:
    write_wav(tmp_path / "1.wav", to_pcm16(tone(1.0)))
    row = {"id": "c1", "path": "1.wav", "text": SAID.upper(), "lang": "en", "kind": "read", "speaker": "s"}
    lists = {"id": "c1", "terms": ["kowalski"], "others_100": OTHERS, "others_1000": OTHERS * 2, "near_100": ["mat"]}
    (tmp_path / "manifest.jsonl").write_text(json.dumps(row), "utf-8")
    (tmp_path / "lists.jsonl").write_text(json.dumps(lists), "utf-8")
    (tmp_path / "settings.toml").write_text(
        f'[engine]\nname = "script"\n[engine.script]\nlines = ["{HEARD}"]\n', "utf-8"
    )
    files = {"--manifest": "manifest.jsonl", "--terms": "lists.jsonl", "--config": "settings.toml"}
    return [word for option, name in files.items() for word in (option, str(tmp_path / name))]


def figures_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["bench", "personalization", *words, "--json"], environment=dict(os.environ)) == ExitCode.OK
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_listed_word_is_put_right_by_the_text_alone(texts: list[str], capsys: pytest.CaptureFixture[str]):
    figures = figures_of(capsys, *texts, "--list-size", "4")
    assert figures.keys() >= KEYS
    assert figures["ms_per_utterance"].keys() == {"p50", "p95"}
    assert (figures["without_list"]["b_wer"], figures["b_wer"], figures["wer"]) == (100.0, 0.0, 0.0)
    assert len(figures["about"]["settings"]) == 12


def test_an_absent_list_leaves_the_text_as_it_is(texts: list[str], capsys: pytest.CaptureFixture[str]):
    figures = figures_of(capsys, *texts, "--list-size", "4", "--absent")
    assert figures["wer"] == figures["without_list"]["wer"] > 0
    assert figures["replaced_right_to_wrong_per_1000"] == 0


def test_the_way_through_an_engine_has_the_same_keys(sounds: list[str], capsys: pytest.CaptureFixture[str]):
    figures = figures_of(capsys, *sounds, "--distractors", "4")
    assert figures.keys() >= KEYS
    assert (figures["b_wer"], figures["terms"], figures["utterances"]) == (0.0, 1, 1)


def test_without_a_size_all_conditions_are_measured(sounds: list[str], capsys: pytest.CaptureFixture[str]):
    rows = figures_of(capsys, *sounds)["rows"]
    assert [(row["list_size"], row["absent"], row["near"]) for row in rows] == [
        (100, False, False), (100, True, False), (1000, False, False), (1000, True, False),
        (5000, False, False), (5000, True, False), (100, False, True), (100, True, True),
    ]  # fmt: skip


def test_people_read_lines(texts: list[str], capsys: pytest.CaptureFixture[str]):
    words = ["bench", "personalization", *texts, "--list-size", "4"]
    assert main(words, environment=dict(os.environ)) == ExitCode.OK
    assert "present 4" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--hyps", "nowhere.tsv", "--refs", "nowhere.tsv"], ["--refs", "x"]])
def test_a_missing_file_is_named(words: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "personalization", *words], environment=dict(os.environ)) != ExitCode.OK
    assert capsys.readouterr().err


def test_errors_on_terms_and_others_are_told_apart():
    terms = frozenset(["kowalski"])
    assert errors(ONE.said, HEARD.split(), terms) == Errors(others=0, other_words=5, listed=1, listed_words=1)
    assert errors(ONE.said, SAID.replace("city", "kowalski").split(), terms) == Errors(1, 5, 0, 1)
    assert errors(ONE.said, [*ONE.said, "kowalski"], terms) == Errors(0, 5, 1, 1)


def test_intervals_draw_speakers():
    counted = [Errors(1, 10, 0, 2), Errors(0, 10, 1, 2)]
    assert intervals(["a", "b"], counted)["b_wer"] == [0.0, 50.0]


def test_long_lists_are_drawn_the_same_for_the_same_seed():
    pool = [f"word{number}" for number in range(100)]
    lists = [Lists(pool, seed).others(ONE, 50) for seed in (1, 1, 2)]
    assert lists[0] == lists[1] != lists[2]
    assert lists[0][:4] == OTHERS
    assert len(set(lists[0])) == 50


def test_near_words_sound_near_but_not_the_same():
    neighbours = Neighbours(["kowalsky", "kowalski", "weather", "sitty", "city"], English(), looked_at=4)
    assert neighbours.of("kowalski") == ("kowalsky",)
    assert neighbours.of("a") == ()


def test_published_files_are_read(texts: list[str]):
    found = spoken(Path(texts[1]), Path(texts[3]))
    assert found[0] == ONE
    assert [one.speaker for one in found] == ["7", "8"]
