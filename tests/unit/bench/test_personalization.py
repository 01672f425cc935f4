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

from benchmarks.personalization_ablation import GATE, NOTHING, Ablation  # noqa: E402
from benchmarks.personalization_book import Book  # noqa: E402
from benchmarks.personalization_data import Habits, Listed, Lists, Neighbours, Spoken, spoken  # noqa: E402
from benchmarks.personalization_run import Condition, Corrections, NoSound, Stopwatch  # noqa: E402
from benchmarks.personalization_scores import Errors, errors, intervals  # noqa: E402
from benchmarks.personalization_sound import Terms  # noqa: E402
from voice_ime.audio import to_pcm16  # noqa: E402
from voice_ime.cli import main  # noqa: E402
from voice_ime.commands import ExitCode  # noqa: E402
from voice_ime.engine.base import Capabilities, Hypothesis, Word  # noqa: E402
from voice_ime.personalize.phonetics.english import English  # noqa: E402
from voice_ime.personalize.weighing import Weighing  # noqa: E402

KEYS = {"wer", "u_wer", "b_wer", "replaced_right_to_wrong_per_1000", "ms_per_utterance"}
SAID = "we met kowalski in the city"
HEARD = "we met kowalsky in the city"
OTHERS = ["marabout", "quaffed", "thoracic", "dolomite"]


class Rehearing(NoSound):
    """Hears what it was told to, once phrases are asked for."""

    def __init__(self, again: Hypothesis) -> None:
        self._again = again

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        return self._again


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


def test_a_listed_word_is_put_right_by_the_text_alone(texts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    figures = figures_of(capsys, *texts, "--list-size", "4")
    assert figures.keys() >= KEYS
    assert figures["ms_per_utterance"].keys() == {"p50", "p95"}
    assert (figures["without_list"]["b_wer"], figures["b_wer"], figures["wer"]) == (100.0, 0.0, 0.0)
    assert len(figures["about"]["settings"]) == 12


def test_an_absent_list_leaves_the_text_as_it_is(texts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    figures = figures_of(capsys, *texts, "--list-size", "4", "--absent")
    assert figures["wer"] == figures["without_list"]["wer"] > 0
    assert (figures["term_recall"], figures["term_precision"]) == (0.0, None)
    assert figures["replaced_right_to_wrong_per_1000"] == 0


def test_the_way_through_an_engine_has_the_same_keys(sounds: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    figures = figures_of(capsys, *sounds, "--distractors", "4")
    assert figures.keys() >= KEYS
    assert (figures["b_wer"], figures["terms"], figures["utterances"]) == (0.0, 1, 1)


def test_without_a_size_all_conditions_are_measured(sounds: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    rows = figures_of(capsys, *sounds)["rows"]
    kinds = ("present", "absent", "near present", "near absent")
    assert [(row["condition"], row["list_size"]) for row in rows] == [
        ("oracle", 0), ("speaker others", 0), ("speaker all", 0),
        *((kind, size) for size in (10, 100, 1000, 5000) for kind in kinds),
    ]  # fmt: skip
    assert all(row["ci95"]["change"]["b_wer"] for row in rows)


def test_all_is_text_and_sound_and_every_part_switched_off(
    texts: list[str], sounds: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    figures = figures_of(capsys, *texts, *sounds, "--all")
    found = {(row["source"], row["without"]) for row in figures["rows"]}
    parts = ("", "correction", "gate", "crowding")
    assert found == {(source, part) for source in ("text", "sound") for part in parts} | {("sound", "confidence")}
    assert {(row["source"], row["without"]) for row in figures["not_applicable"]} == {
        ("text", "acoustic"), ("text", "bias"), ("text", "confidence"), ("sound", "acoustic"), ("sound", "bias"),
    }  # fmt: skip
    assert figures["complete"]
    assert figures["about"]["files"].keys() == {"hyps.tsv", "refs.tsv", "manifest.jsonl", "lists.jsonl"}


def test_a_part_that_is_switched_off_is_measured_beside(texts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    whole, without = figures_of(capsys, *texts, "--list-size", "4", "--ablate", "correction")["rows"]
    assert (whole["b_wer"], whole["term_recall"], whole["term_precision"]) == (0.0, 100.0, 100.0)
    assert (without["b_wer"], without["term_recall"], without["term_precision"]) == (100.0, 0.0, None)


def test_an_unknown_part_is_named(texts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "personalization", *texts, "--ablate", "gate,luck"]
    assert main(words, environment=dict(os.environ)) != ExitCode.OK
    assert "luck" in capsys.readouterr().err


def test_a_folder_of_lists_will_do(sounds: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sounds[sounds.index("--terms") + 1] = str(tmp_path)
    assert figures_of(capsys, *sounds, "--distractors", "4")["terms"] == 1


def test_an_unfinished_run_is_gone_on_with(
    texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    whole = figures_of(capsys, *texts, "--output", str(file))
    left = whole | {"complete": False, "rows": [row | {"wer": -1.0} for row in whole["rows"][:3]]}
    file.write_text(json.dumps(left), "utf-8")
    again = figures_of(capsys, *texts, "--output", str(file))
    assert [row["wer"] == -1.0 for row in again["rows"]] == [True] * 3 + [False] * (len(whole["rows"]) - 3)
    assert json.loads(file.read_text("utf-8")) == again
    assert again["complete"]


@pytest.mark.parametrize("changed", [{"seed": 1}, {"settings": "another one"}])
def test_rows_of_another_run_are_not_taken_over(tmp_path: Path, changed: dict[str, Any]) -> None:
    file = tmp_path / "figures.json"
    about = {"seed": 0, "settings": "one", "commit": "a1", "date": "then"}
    Book(about, file).add({"condition": "oracle", "wer": 1.0})
    assert Book(about | {"commit": "b2", "date": "now"}, file).has({"condition": "oracle"})
    assert not Book(about | changed, file).has({"condition": "oracle"})


def test_a_finished_run_is_measured_anew(tmp_path: Path) -> None:
    file, about = tmp_path / "figures.json", {"commit": "a1"}
    book = Book(about, file)
    book.add({"condition": "oracle"})
    book.end()
    assert Book(about, file).rows == []


def test_what_is_switched_off_no_longer_counts() -> None:
    weighing = Weighing.from_file()
    assert {Ablation(("gate",)).weighing(weighing).text.weights[name] for name in GATE} == {0.0}
    crowded = Ablation(("crowding",)).weighing(weighing)
    assert (crowded.text.weights["density"], crowded.text.weights["margin"], crowded.leeway.density) == (0, 0, 0)
    assert Ablation(("confidence",)).heard(Hypothesis("a", (Word("a", confidence=0.5),))).words == (Word("a"),)
    assert NOTHING.weighing(weighing) == weighing


def test_parts_that_an_engine_does_not_have_cannot_be_switched_off() -> None:
    scoring = Capabilities("one", ("en",), scores_text=True, takes_phrases=True)
    assert [Ablation((part,)).idle(scoring) is None for part in ("acoustic", "bias", "confidence")] == [
        True, False, False,
    ]  # fmt: skip
    assert Ablation(("acoustic", "bias")).idle(scoring) is None
    assert Ablation(("acoustic",)).can(scoring).takes_phrases


def test_an_engine_that_takes_phrases_listens_for_them_where_it_is_not_asked_for_prices() -> None:
    heard = Hypothesis(HEARD, tuple(Word(word) for word in HEARD.split()), final=True, log_probability=-1.0)
    can = Capabilities("phrases", ("en",), scores_text=True, takes_phrases=True)
    without = Corrections(English(), Weighing.from_file(), Ablation(("acoustic",)))
    sound = Stopwatch(Rehearing(Hypothesis(SAID, log_probability=-1.5)))
    corrected = without.corrected(heard, ["kowalski"], sound, can)
    assert (corrected.text, corrected.changes[0].cost) == (SAID, 0.5)


def test_a_speakers_list_has_the_rare_words_of_other_utterances() -> None:
    habits = Habits.of([("7", ["kowalski", "hudson"]), ("7", ["kowalski", "ulm"]), ("8", ["rhine"])])
    said = ("kowalski", "in", "ulm")
    assert habits.elsewhere("7", ["kowalski", "ulm"], said) == Listed(frozenset(["kowalski"]), ("hudson",))
    assert habits.everything("7", said) == Listed(frozenset(["kowalski", "ulm"]), ("hudson",))
    assert habits.elsewhere("8", ["rhine"], ["rhine"]).words(absent=False) == []


def test_near_words_come_first_in_a_list_of_them() -> None:
    lists = Terms(("kowalski",), tuple(OTHERS), tuple(OTHERS * 2), ("mat", "quaffed"))
    assert lists.others_of(Condition("sound", 1, near=True), [], [], 0) == ["mat"]
    assert lists.others_of(Condition("sound", 4, near=True), [], [], 0) == ["mat", "quaffed", "marabout", "thoracic"]


def test_people_read_lines(texts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "personalization", *texts, "--list-size", "4"]
    assert main(words, environment=dict(os.environ)) == ExitCode.OK
    assert "present 4" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--hyps", "nowhere.tsv", "--refs", "nowhere.tsv"], ["--refs", "x"]])
def test_a_missing_file_is_named(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "personalization", *words], environment=dict(os.environ)) != ExitCode.OK
    assert capsys.readouterr().err


def test_errors_on_terms_and_others_are_told_apart() -> None:
    terms = frozenset(["kowalski"])
    assert errors(ONE.said, HEARD.split(), terms) == Errors(others=0, other_words=5, listed=1, listed_words=1)
    assert errors(ONE.said, SAID.replace("city", "kowalski").split(), terms) == Errors(1, 5, 0, 1)
    assert errors(ONE.said, [*ONE.said, "kowalski"], terms) == Errors(0, 5, 1, 1)


def test_intervals_draw_speakers() -> None:
    counted = [Errors(1, 10, 0, 2), Errors(0, 10, 1, 2)]
    assert intervals(["a", "b"], counted)["b_wer"] == [0.0, 50.0]


def test_long_lists_are_drawn_the_same_for_the_same_seed() -> None:
    pool = [f"word{number}" for number in range(100)]
    lists = [Lists(pool, seed).others(ONE, 50) for seed in (1, 1, 2)]
    assert lists[0] == lists[1] != lists[2]
    assert lists[0][:4] == OTHERS
    assert len(set(lists[0])) == 50


def test_a_list_is_no_longer_than_the_words_there_are() -> None:
    assert sorted(Lists(["ulm", "city", "quaffed"]).others(ONE, 50)) == sorted([*OTHERS, "ulm"])


def test_near_words_sound_near_but_not_the_same() -> None:
    neighbours = Neighbours(["kowalsky", "kowalski", "weather", "sitty", "city"], English(), looked_at=4)
    assert neighbours.of("kowalski") == ("kowalsky",)
    assert neighbours.of("a") == ()


def test_published_files_are_read(texts: list[str]) -> None:
    found = spoken(Path(texts[1]), Path(texts[3]))
    assert found[0] == ONE
    assert [one.speaker for one in found] == ["7", "8"]
