"""Each benchmark once, on three short recordings, with the engine that says what it was told to say."""

import argparse
import codecs
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.needs import ROOT, needs_package, shared
from tests.recordings import tone, write_wav

needs_package("jiwer")
needs_package("whisper-normalizer", "whisper_normalizer")
needs_package("faster-whisper", "faster_whisper")

from benchmarks.output import finish  # noqa: E402
from voice_ime.audio import to_pcm16  # noqa: E402
from voice_ime.cli import main  # noqa: E402
from voice_ime.commands import ExitCode  # noqa: E402
from voice_ime.errors import RecognitionFailed  # noqa: E402
from voice_ime.messages import Messages  # noqa: E402

SETTINGS = """
[engine]
name = "script"
[engine.script]
lines = ["hello world"]
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    rows = []
    for number in range(3):
        write_wav(tmp_path / f"{number}.wav", to_pcm16(tone(1.0)))
        rows.append({"path": f"{number}.wav", "text": "Hello, word!", "lang": "en", "kind": "read",
                     "speaker": f"s{number}"})  # fmt: skip
    file = tmp_path / "manifest.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return file


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(SETTINGS, "utf-8")
    return file


def figures_of(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict[str, Any]:
    assert main(["bench", *map(str, words), "--json"], environment=dict(os.environ)) == ExitCode.OK
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_accuracy_counts_words(manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = figures_of(capsys, "accuracy", manifest, "--config", config)
    assert (figures["clips"], figures["wer"], figures["wer_ci95"]) == (3, 0.5, [0.5, 0.5])
    assert figures["cer"] > 0
    assert figures["rtf"] is not None
    assert figures["complete"]


TWO_PASSES = """
[engine]
name = "script"
[engine.by_language.en]
name = "script"
final = "careful"
[engine.others.careful]
name = "script"
script.lines = ["hello word"]
"""


def test_accuracy_is_that_of_the_engines_that_the_server_would_use(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(TWO_PASSES, "utf-8")
    figures = figures_of(capsys, "accuracy", manifest, "--lang", "en", "--config", config)
    assert (figures["system"], figures["wer"]) == ("script+script, whole", 0)


def test_accuracy_can_show_what_was_heard(manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "accuracy", str(manifest), "--config", str(config), "--finals"], environment={}) == 0
    assert capsys.readouterr().out.count("Said: Hello, word! Heard: hello world") == 3


@pytest.mark.parametrize(("most", "status"), [("0.5", ExitCode.OK), ("0.49", ExitCode.SOME_FAILED)])
def test_a_model_that_is_too_often_wrong_fails(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str], most: str, status: ExitCode
) -> None:
    words = ("bench", "accuracy", str(manifest), "--config", str(config), "--most-wer", most)
    assert main(words, environment={}) == status
    assert ("Too many words are wrong: 0.5" in capsys.readouterr().err) == (status != ExitCode.OK)


def test_a_model_of_which_nothing_was_measured_is_not_good_enough(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest.write_text(manifest.read_text("utf-8").replace('"read"', '"noise"'), "utf-8")
    words = ("bench", "accuracy", str(manifest), "--config", str(config), "--kind", "noise", "--most-wer", "1")
    assert main(words, environment={}) == ExitCode.SOME_FAILED


def test_accuracy_hears_with_beam_search_beside(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = figures_of(capsys, "accuracy", manifest, "--config", config, "--beam", "4")
    assert (figures["beam"]["size"], figures["beam"]["wer"]) == (4, figures["wer"])
    assert figures["beam"]["final_work_ms"]["n"] == 3


def test_accuracy_tells_how_true_confidence_is_for_other_speakers(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folds = figures_of(capsys, "accuracy", manifest, "--config", config)["confidence"]["by_folds"]
    assert folds["splits"] == 20
    assert folds["raw"]["ece"] == 0.5


def test_latency_plays_to_a_server(manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tone is no speech to be measured: that is told by zeros, not by an error."""
    cores = ",".join(map(str, os.sched_getaffinity(0)))
    figures = figures_of(capsys, "latency", manifest, "--config", config, "--idle", "0.5", "--cores", cores)
    assert figures["clips"] == 0
    assert set(figures["final_delay_ms"]) == {"p50", "p95", "p99", "n"}
    assert figures["idle_core_percent"] >= 0


def test_real_speech_is_measured_on_its_way(capsys: pytest.CaptureFixture[str]) -> None:
    needs_package("moonshine-voice", "moonshine_voice")
    recordings = shared("speech", "manifest.jsonl")
    figures = figures_of(capsys, "latency", recordings, "--limit", "1", "--idle", "0.1", "--peer", "moonshine-voice")
    for system in (figures, figures["peers"]["moonshine-voice"]):
        assert system["final_delay_ms"]["n"] >= 1
        assert system["first_partial_ms"]["n"] == 1
        assert system["release_to_final_ms"]["n"] == 1
        assert system["peak_rss_mb"] > 50


def test_load_plays_to_a_server(manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--config", config, "--idle", "0.2", "--seconds", "1", "--first", "2")
    figures = figures_of(capsys, "load", manifest, *options)
    assert figures["streams_held"] == 0
    assert [stage["streams"] for stage in figures["stages"]] == [2, 1]


def test_the_processors_are_given_back(manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = os.sched_getaffinity(0)
    figures_of(capsys, "latency", manifest, "--config", config, "--idle", "0.1", "--cores", str(min(before)))
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("cores", ["none", "4096"])
def test_processors_that_are_not_there_are_refused(
    cores: str, manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "latency", str(manifest), "--config", str(config), "--cores", cores]
    assert main(words, environment={}) == ExitCode.WRONG_USAGE
    assert "--cores" in capsys.readouterr().err


def test_a_manifest_that_is_not_there_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "accuracy", "/nowhere.jsonl", "--config", str(config)], environment={}) == (
        ExitCode.WRONG_USAGE
    )
    assert "/nowhere.jsonl" in capsys.readouterr().err


def complaint_of(capsys: pytest.CaptureFixture[str], status: ExitCode, *words: str | Path) -> str:
    """What is said where a run ends with `status`."""
    assert main(["bench", *map(str, words)], environment=dict(os.environ)) == status
    said = capsys.readouterr().err
    assert "inside voice-ime" not in said
    return said


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('{"path": "0.wav", ', "JSON"),
        ("[1, 2]", "JSON"),
        ('"hello"', "JSON"),
        ('{"text": "hello"}', "path"),
        ('{"path": "0.wav"}', "text"),
        ('{"path": 3, "text": "hello"}', "path"),
        ('{"path": "0.wav", "text": null}', "text"),
        ('{"path": "0.wav", "text": "hello", "lang": 3}', "lang"),
    ],
)
def test_a_line_that_describes_no_recording_is_named(
    line: str, place: str, manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest.write_text(f"{manifest.read_text('utf-8')}\n\n{line}\n", "utf-8")
    said = complaint_of(capsys, ExitCode.WRONG_USAGE, "accuracy", manifest, "--config", config)
    assert f"Line 5 of {manifest} does not describe a recording. Look at: {place}." in said


def test_a_manifest_may_come_from_other_systems(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a mark before its first line, unusual line ends in its texts, and speakers that are numbers."""
    text = manifest.read_text("utf-8").replace("word!", "word!\u2028").replace('"s1"', "1").replace("\n", "\r\n")
    manifest.write_bytes(codecs.BOM_UTF8 + text.encode())
    figures = figures_of(capsys, "accuracy", manifest, "--config", config)
    assert (figures["clips"], figures["speakers"]) == (3, 3)


@pytest.mark.parametrize("wanted", [("--kind", "red"), ("--kind", "read,red"), ("--lang", "zh"), ("--kind", ",")])
def test_recordings_that_are_not_there_are_not_passed_over(
    wanted: tuple[str, str], manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = complaint_of(capsys, ExitCode.WRONG_USAGE, "latency", manifest, "--config", config, *wanted)
    assert f"In {manifest} there is no recording" in said


def test_blanks_between_kinds_do_not_matter(manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest.write_text(manifest.read_text("utf-8").replace('"read"', '"long"', 1), "utf-8")
    assert figures_of(capsys, "accuracy", manifest, "--config", config, "--kind", "read, long")["clips"] == 3


def test_recordings_that_cannot_be_read_are_named_and_left_out(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (manifest.parent / "0.wav").unlink()
    broken = manifest.parent / "1.wav"
    broken.write_bytes(broken.read_bytes()[:20_044])
    words = ["bench", "accuracy", str(manifest), "--config", str(config), "--json"]
    assert main(words, environment={}) == ExitCode.SOME_FAILED
    told = capsys.readouterr()
    figures = json.loads(told.out)
    assert (figures["complete"], figures["clips"]) == (True, 1)
    assert figures["unreadable"] == ["0.wav", "1.wav"]
    assert f"There is no file {manifest.parent / '0.wav'}. It is left out." in told.err
    assert "breaks off after 0.6 seconds. It is left out." in told.err


def test_a_model_is_judged_by_the_recordings_that_can_be_read(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (manifest.parent / "0.wav").unlink()
    words = ("accuracy", manifest, "--config", config, "--most-wer", "0.1")
    assert "Too many words are wrong: 0.5" in complaint_of(capsys, ExitCode.SOME_FAILED, *words)


def test_without_any_recording_that_can_be_read_there_are_no_figures(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        (manifest.parent / f"{number}.wav").write_bytes(b"")
    said = complaint_of(capsys, ExitCode.SOME_FAILED, "latency", manifest, "--config", config)
    assert "2.wav is empty" in said


@pytest.mark.parametrize(
    ("bench", "option", "value"),
    [
        ("accuracy", "--limit", "0"),
        ("accuracy", "--beam", "-1"),
        ("accuracy", "--most-wer", "nan"),
        ("latency", "--idle", "0"),
        ("load", "--seconds", "0"),
        ("load", "--first", "0"),
        ("sessions", "--sessions", "0"),
    ],
)
def test_numbers_that_measure_nothing_are_refused(
    bench: str, option: str, value: str, manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = complaint_of(capsys, ExitCode.WRONG_USAGE, bench, manifest, "--config", config, option, value)
    assert f"The setting {option} is wrong: it must be" in said


def test_a_place_where_nothing_can_be_written_is_told_before_measuring(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (manifest.parent / "nowhere" / "figures.json", manifest.parent):
        words = ("accuracy", manifest, "--config", config, "--output", place)
        assert str(place) in complaint_of(capsys, ExitCode.NO_OUTPUT, *words)


def test_figures_that_cannot_be_kept_are_printed_all_the_same(
    manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "accuracy", str(manifest), "--config", str(config), "--json", "--output", "/dev/full"]
    assert main(words, environment={}) == ExitCode.NO_OUTPUT
    told = capsys.readouterr()
    assert json.loads(told.out)["complete"]
    assert "/dev/full" in told.err


@pytest.mark.parametrize("bench", ["accuracy", "latency"])
def test_a_peer_without_its_model_is_told_before_measuring(
    bench: str, manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (bench, manifest, "--config", config, "--peer", "faster-whisper")
    assert "model.bin" in complaint_of(capsys, ExitCode.WRONG_USAGE, *words)
    assert "model.bin" in complaint_of(capsys, ExitCode.WRONG_USAGE, *words, "--peer-model", manifest.parent)


@pytest.mark.parametrize("bench", ["accuracy", "latency"])
def test_a_peer_whose_model_is_damaged_is_told(
    bench: str, manifest: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (manifest.parent / "model.bin").write_bytes(b"damaged")
    words = (bench, manifest, "--config", config, "--peer", "faster-whisper", "--peer-model", manifest.parent)
    assert "--peer-model" in complaint_of(capsys, ExitCode.WRONG_USAGE, *words)


def test_a_run_that_breaks_off_shows_what_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    def measure(figures: dict[str, Any]) -> None:
        figures["clips"] = 7
        raise RecognitionFailed(engine="some-peer")

    asked = argparse.Namespace(peer=[], output=None, json=True, manifest=Path("m.jsonl"))
    with pytest.raises(RecognitionFailed):
        finish("latency", asked, Messages("en"), measure)
    figures = json.loads(capsys.readouterr().out)
    assert (figures["clips"], figures["complete"]) == (7, False)


def test_an_interrupt_keeps_what_was_done(manifest: Path, config: Path) -> None:
    command = [sys.executable, "-m", "voice_ime", "bench", "latency", manifest, "--config", config,
               "--idle", "600", "--json"]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text("utf-8").strip():  # its server: then it is at work
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert json.loads(out)["complete"] is False
    assert "Interrupted" in said
