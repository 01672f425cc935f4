"""`voice-ime transcribe` as it is typed: real sound, the whole way, and whatever can go wrong with the output."""

import itertools
import json
import os
import signal
import subprocess
import wave
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.audio.terminal import Terminal, environment, voice_ime
from tests.needs import needs_package
from tests.recordings import cut, write_wav
from voice_ime.commands import ExitCode

NEEDED = ("av", "onnxruntime", "tqdm", "faster-whisper", "moonshine-voice")
KEYS = ["path", "text", "language", "duration_s", "words", "engine", "timings", "error"]
LONG_S = 20 * 60
FLAT = 4_000_000
"""Bytes by which the memory may grow from the beginning of a long recording to its end (its sound: 77 MB of floats)."""

SCRIPT = ("--engine", "script")


@pytest.fixture(scope="session")
def two_cities() -> Path:
    """44 seconds of read English, public domain; comes with the model."""
    for package in NEEDED:
        needs_package(package)
    from voice_ime.engine.store import sample_recording

    path = sample_recording()
    assert path is not None
    return path


@pytest.fixture(scope="session")
def first_words(two_cities: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first six seconds."""
    from voice_ime.audio import read_blocks, to_pcm16

    pcm = b"".join(to_pcm16(block) for block in itertools.islice(read_blocks(two_cities), 6))
    return write_wav(tmp_path_factory.mktemp("speech") / "first-words.wav", pcm)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@dataclass
class Ended:
    code: int
    lines: list[str]
    complaints: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)


def transcribe(*words: str | Path, home: Path, stdout: int | Path = subprocess.PIPE) -> Ended:
    command = voice_ime("transcribe", *map(str, words))
    surroundings = environment(HOME=str(home), XDG_CONFIG_HOME=str(home), XDG_STATE_HOME=str(home))
    if isinstance(stdout, Path):
        with stdout.open("w") as file:
            done = subprocess.run(command, env=surroundings, stdout=file, stderr=subprocess.PIPE, text=True)
    else:
        done = subprocess.run(command, env=surroundings, stdout=stdout, stderr=subprocess.PIPE, text=True)
    lines = (done.stdout or "").splitlines()
    rows = [json.loads(line) for line in lines] if "--json" in words else []
    return Ended(done.returncode, lines, done.stderr.splitlines(), rows)


def test_a_recording_becomes_text_line_by_line(two_cities: Path, home: Path):
    ended = transcribe(two_cities, home=home)
    assert ended.code == 0
    assert ended.lines[0].startswith("It was the best of times, it was the worst of times.")
    assert len(ended.lines) > 4
    assert ended.complaints == []


def test_as_json_a_recording_is_one_line_with_words_and_times(two_cities: Path, home: Path):
    ended = transcribe("--json", two_cities, home=home)
    assert ended.code == 0
    (row,) = ended.rows
    assert list(row) == KEYS
    assert row["path"] == str(two_cities)
    assert (row["language"], row["engine"], row["error"]) == ("en", "moonshine-tiny-en", None)
    assert row["duration_s"] == pytest.approx(44.4, abs=0.1)
    assert "".join(word["text"] for word in row["words"]).lower() == row["text"].replace(" ", "").lower()
    assert all(0 <= word["confidence"] <= 1 for word in row["words"])
    assert row["timings"]["decode_s"] > 0
    assert_in_order_or_unknown(row["words"], row["duration_s"])


def test_an_engine_without_times_and_languages_says_so_by_null(first_words: Path, home: Path):
    (row,) = transcribe("--json", *SCRIPT, first_words, home=home).rows
    assert row["language"] is None
    assert {(word["start_s"], word["end_s"]) for word in row["words"]} == {(None, None)}


def assert_in_order_or_unknown(words: list[dict[str, Any]], duration_s: float) -> None:
    """A word may have one border and not the other."""
    borders = [word[name] for word in words for name in ("start_s", "end_s") if word[name] is not None]
    assert borders
    assert borders == sorted(borders)
    assert borders[0] >= 0
    assert borders[-1] <= duration_s


def test_bad_recordings_are_named_at_the_end_and_the_good_ones_written_down(
    tmp_path: Path, first_words: Path, home: Path
):
    gone, notes = tmp_path / "gone.wav", tmp_path / "notes.wav"
    notes.write_text("Milk, eggs")
    ended = transcribe("--json", *SCRIPT, gone, first_words, notes, home=home)
    assert ended.code == ExitCode.SOME_FAILED
    assert [row["text"] is None for row in ended.rows] == [True, False, True]
    assert [row["error"] and row["error"]["code"] for row in ended.rows] == [
        "audio_not_found",
        None,
        "audio_unsupported",
    ]
    assert ended.complaints[0] == f"There is no file {gone}."
    assert ended.complaints[-1] == f"2 of 3 recordings could not be used wholly: {gone}, {notes}."


def test_of_several_recordings_each_is_headed_by_its_name(tmp_path: Path, first_words: Path, home: Path):
    ended = transcribe(*SCRIPT, first_words, first_words, home=home)
    assert [line for line in ended.lines if line.endswith(":")] == [f"{first_words}:"] * 2


def test_of_a_recording_that_breaks_off_the_text_before_the_break_is_written(
    tmp_path: Path, first_words: Path, home: Path
):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(first_words.read_bytes())
    ended = transcribe("--json", cut(broken), home=home)
    assert ended.code == ExitCode.SOME_FAILED
    assert ended.rows[0]["text"].startswith("It was the best of times")
    assert ended.rows[0]["error"]["code"] == "audio_truncated"


def test_silence_is_no_text_and_no_error(tmp_path: Path, home: Path):
    for package in NEEDED:
        needs_package(package)
    ended = transcribe("--json", write_wav(tmp_path / "silence.wav", bytes(64_000)), home=home)
    assert ended.code == 0
    assert ended.rows[0]["text"] == ""
    assert ended.rows[0]["words"] == []


def test_the_text_can_go_into_a_file(tmp_path: Path, first_words: Path, home: Path):
    file = tmp_path / "text.txt"
    ended = transcribe("--output", file, first_words, home=home)
    assert ended.code == 0
    assert ended.lines == []
    assert file.read_text("utf-8").startswith("It was the best of times")


def test_a_name_that_is_no_text_is_no_obstacle(tmp_path: Path, first_words: Path, home: Path):
    odd = tmp_path / os.fsdecode(b"caf\xe9.wav")
    odd.write_bytes(first_words.read_bytes())
    file = tmp_path / "text.txt"
    assert transcribe(*SCRIPT, odd, odd, home=home).code == 0
    assert transcribe("--json", *SCRIPT, "--output", file, odd, home=home).code == 0
    assert json.loads(file.read_text("utf-8"))["text"]


def test_the_text_never_overwrites_the_recording(first_words: Path, home: Path):
    before = first_words.read_bytes()
    ended = transcribe("--output", first_words, *SCRIPT, first_words, home=home)
    assert ended.code == ExitCode.WRONG_USAGE
    assert first_words.read_bytes() == before


@pytest.mark.parametrize("way", ["stdout", "file"])
def test_a_full_disk_is_told_and_ends_the_work(way: str, first_words: Path, home: Path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    if way == "stdout":
        ended = transcribe(*SCRIPT, first_words, home=home, stdout=full)
    else:
        ended = transcribe(*SCRIPT, "--output", full, first_words, home=home)
    assert ended.code == ExitCode.NO_OUTPUT
    assert len(ended.complaints) == 2
    assert ended.complaints[0].endswith("could not be written: the disk is full.")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, first_words: Path, home: Path):
    ended = transcribe(*SCRIPT, "--output", tmp_path / "none" / "a.txt", first_words, home=home)
    assert ended.code == ExitCode.NO_OUTPUT
    assert "could not be written" in ended.complaints[0]


def test_a_reader_that_goes_away_ends_the_work_quietly(first_words: Path, home: Path):
    work = started(SLOW, first_words, first_words, first_words, home=home)
    with work:
        assert work.stdout is not None
        assert work.stderr is not None
        work.stdout.readline()
        work.stdout.close()
        assert work.wait(60) == ExitCode.NO_OUTPUT
        assert work.stderr.read() == ""


def test_ctrl_c_keeps_what_was_written(two_cities: Path, home: Path):
    work = started(SLOW, two_cities, home=home)
    with work:
        assert work.stdout is not None
        assert work.stderr is not None
        first = work.stdout.readline()
        work.send_signal(signal.SIGINT)
        assert work.wait(60) == ExitCode.INTERRUPTED
        assert first.startswith("This was not recognised")
        assert work.stderr.read() == ""


SLOW = '[engine]\nname = "script"\n[engine.script]\ndecode_s = 1\n'
"""So slow that there is always something left to interrupt."""


def started(settings: str, *words: str | Path, home: Path) -> "subprocess.Popen[str]":
    file = home / "voice-ime" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text(settings)
    return subprocess.Popen(
        voice_ime("transcribe", *map(str, words)),
        env=environment(HOME=str(home), XDG_CONFIG_HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_progress_is_shown_on_a_terminal_and_nowhere_else(two_cities: Path, home: Path):
    with closing(Terminal(voice_ime("transcribe", *SCRIPT, str(two_cities)), environment(HOME=str(home)))) as terminal:
        assert terminal.end() == 0
        assert "two_cities.wav" in terminal.shown
        assert "%" in terminal.shown
    assert transcribe(*SCRIPT, two_cities, home=home).complaints == []


@pytest.mark.parametrize("name", ["whisper", "moonshine-tiny-en"])
def test_a_model_that_is_not_there_is_told_with_the_way_to_get_it(
    name: str, tmp_path: Path, first_words: Path, home: Path
):
    output = tmp_path / "text.txt"
    output.write_text("something that was written before")
    ended = transcribe("--engine", name, "--model", tmp_path / "none", "--output", output, first_words, home=home)
    assert ended.code == ExitCode.NO_MODEL
    assert ended.complaints[1].startswith("Get it with: ")
    assert output.read_text() == "something that was written before"


@pytest.mark.slow
def test_through_a_real_server_in_real_time_the_text_is_the_same(tmp_path: Path, first_words: Path, home: Path):
    for package in ("fastapi", "uvicorn"):
        needs_package(package)
    (direct,) = transcribe("--json", first_words, home=home).rows
    ended = transcribe("--json", "--stream", first_words, tmp_path / "gone.wav", home=home)
    streamed, gone = ended.rows
    assert ended.code == ExitCode.SOME_FAILED
    assert streamed["text"] == direct["text"]
    assert (streamed["engine"], streamed["duration_s"]) == (direct["engine"], direct["duration_s"])
    assert streamed["timings"]["final_s"] > 0
    assert gone["error"]["code"] == "audio_not_found"


@pytest.mark.parametrize("way", [(), ("--stream",)])
def test_recordings_are_written_in_the_words_of_a_profile(way: tuple[str, ...], first_words: Path, home: Path):
    plain = transcribe(first_words, home=home).lines
    assert "of times" in plain[0]
    needs_package("sqlalchemy")
    profile(home, "create", "ann")
    profile(home, "rule", "of times", "of the Times", "--profile", "ann")
    assert "of the Times" in transcribe(*way, "--profile", "ann", first_words, home=home).lines[0]
    assert transcribe(*way, first_words, home=home).lines[0].startswith(plain[0][:12])
    assert "of the Times" not in transcribe(first_words, home=home).lines[0]


def test_a_profile_that_does_not_exist_is_said(first_words: Path, home: Path):
    done = transcribe("--profile", "nobody", first_words, home=home)
    assert done.code != 0
    assert "nobody" in done.complaints[0]


def profile(home: Path, *words: str) -> None:
    surroundings = environment(HOME=str(home), XDG_CONFIG_HOME=str(home), XDG_STATE_HOME=str(home))
    subprocess.run(voice_ime("profile", *words), env=surroundings, check=True, stdout=subprocess.DEVNULL)


def test_the_memory_stays_flat_over_twenty_minutes(two_cities: Path, tmp_path: Path):
    from voice_ime.engine.script import ScriptEngine
    from voice_ime.engine.speech import SpeechDetector
    from voice_ime.settings import ScriptSettings, SpeechSettings
    from voice_ime.transcribe import EngineTranscriber

    path = repeated(two_cities, LONG_S, tmp_path / "long.wav")
    transcriber = EngineTranscriber(ScriptEngine(ScriptSettings()), SpeechDetector(), SpeechSettings())
    memory: list[int] = []
    heard = itertools.count()
    outcome = transcriber.transcribe(path, lambda _: next(heard), lambda _: memory.append(resident_bytes()))
    assert outcome.duration_s == LONG_S
    assert next(heard) > 100
    assert abs(growth(memory)) < FLAT


def repeated(path: Path, seconds: int, target: Path) -> Path:
    """The same recording again and again, as a WAV of `seconds`."""
    from voice_ime.audio import read_blocks, to_pcm16

    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        blocks = itertools.cycle([to_pcm16(block) for block in read_blocks(path)][:-1])
        for block in itertools.islice(blocks, seconds):
            file.writeframes(block)
    return target


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def growth(memory: list[int]) -> float:
    """Bytes gained over all measurements, by the slope of the straight line through them; the start does not count."""
    settled = np.array(memory[len(memory) // 10 :], np.float64)
    slope = np.polyfit(np.arange(len(settled)), settled, 1)[0]
    return float(slope * len(settled))
