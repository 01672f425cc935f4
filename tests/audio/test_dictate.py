"""`voice-ime dictate` as a person meets it: real sound, the real server, a real terminal."""

import itertools
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.audio.sound_service import SoundService, needs_sound_service
from tests.audio.terminal import CTRL_C, ENTER, Terminal, environment, voice_ime
from tests.needs import needs_package

FIRST_WORDS_S = 9
NO_SERVICE = "unix:/nowhere/native"


@pytest.fixture(scope="module")
def sample() -> Path:
    for package in ("av", "fastapi", "onnxruntime"):
        needs_package(package)
    needs_package("moonshine-voice")
    from voice_ime.engine.store import sample_recording

    path = sample_recording()
    assert path is not None
    return path


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SoundService]:
    needs_sound_service()
    needs_package("miniaudio")
    service = SoundService(tmp_path)
    service.start()
    yield service
    service.kill()


@pytest.fixture
def terminal(service: SoundService, sample: Path, tmp_path: Path) -> Iterator[Terminal]:
    """Dictation from the virtual microphone, ready to start."""
    more = service.environment | {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    with closing(Terminal(voice_ime("dictate"), environment(**more))) as terminal:
        terminal.wait_for(r"Ready\.")
        yield terminal


@pytest.fixture(scope="module")
def first_words(sample: Path) -> bytes:
    from voice_ime.audio import read_blocks, to_pcm16

    return b"".join(to_pcm16(block) for block in itertools.islice(read_blocks(sample), FIRST_WORDS_S))


def lines(shown: str) -> list[str]:
    """What stays on the screen."""
    return [line.rpartition("\r\x1b[K")[2] for line in shown.splitlines()]


def test_what_is_said_into_the_microphone_is_in_the_terminal(
    terminal: Terminal, service: SoundService, first_words: bytes
) -> None:
    terminal.press(ENTER)
    terminal.wait_for("Listening")
    service.play(first_words)
    terminal.press(ENTER)
    terminal.wait_for("Stopped")
    terminal.wait_for(r"worst of times.*\(\d+\.\d\d s\)")
    terminal.press(CTRL_C)
    assert terminal.end() == 0
    stayed = lines(terminal.shown)
    assert stayed[:3] == [
        "Starting the speech recognition.",
        "Ready. Press Enter to start, Enter again to stop, Ctrl-C to end.",
        "Listening.",
    ]
    assert re.fullmatch(r"\d utterances, final delay p50 \d\.\d\d s, p95 \d\.\d\d s\.", stayed[-1])


def test_silence_is_told_as_nothing_heard(terminal: Terminal) -> None:
    terminal.press(ENTER)
    terminal.wait_for("Listening")
    terminal.press(ENTER)
    terminal.wait_for("Nothing heard")
    terminal.press(CTRL_C)
    assert terminal.end() == 0


def test_ctrl_c_while_listening_still_gives_what_was_said(
    terminal: Terminal, service: SoundService, first_words: bytes
) -> None:
    terminal.press(ENTER)
    terminal.wait_for("Listening")
    service.play(first_words[: 3 * 32_000])
    terminal.press(CTRL_C)
    assert terminal.end() == 0
    assert re.search(r"best of times.*\(\d+\.\d\d s\)", terminal.shown)


def test_a_server_that_is_killed_while_one_speaks_loses_nothing(
    terminal: Terminal, service: SoundService, first_words: bytes
) -> None:
    terminal.press(ENTER)
    terminal.wait_for("Listening")
    half = len(first_words) // 4 * 2
    service.play(first_words[:half])
    for child in children(terminal.process.pid):
        os.kill(child, signal.SIGKILL)
    service.play(first_words[half:])
    terminal.press(ENTER)
    terminal.wait_for("there again")
    terminal.wait_for(r"foolishness.*\(\d+\.\d\d s\)")
    terminal.press(CTRL_C)
    assert terminal.end() == 0
    said = " ".join(line for line in lines(terminal.shown) if line.endswith(" s)"))
    assert said.count("best of times") == 1
    assert said.count("worst of times") == 1


def test_a_microphone_that_dies_and_comes_back_is_told(terminal: Terminal, service: SoundService) -> None:
    terminal.press(ENTER)
    terminal.wait_for("Listening")
    service.kill()
    terminal.wait_for("The microphone went dead")
    service.start()
    terminal.wait_for("The microphone works again")
    terminal.press(CTRL_C)
    assert terminal.end() == 0


def children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(number) for number in listed.split()]


@pytest.fixture
def without_microphone(tmp_path: Path) -> dict[str, str]:
    return environment(PULSE_SERVER=NO_SERVICE, XDG_CONFIG_HOME=str(tmp_path), XDG_STATE_HOME=str(tmp_path))


def test_without_a_microphone_the_sample_is_dictated_and_ctrl_c_cuts_it_short(
    sample: Path, without_microphone: dict[str, str]
) -> None:
    with closing(Terminal(voice_ime("dictate"), without_microphone)) as terminal:
        terminal.wait_for("There is no microphone")
        terminal.wait_for("is dictated in real time")
        terminal.wait_for("(?i)best of times")
        terminal.press(CTRL_C)
        assert terminal.end() == 130
        assert "^C" not in terminal.shown
        assert "best of times" in lines(terminal.shown)[-2]


def test_ctrl_c_while_it_is_starting_ends_it(sample: Path, without_microphone: dict[str, str]) -> None:
    with closing(Terminal(voice_ime("dictate"), without_microphone)) as terminal:
        terminal.wait_for("Starting")
        terminal.press(CTRL_C)
        assert terminal.end() == 130
        assert lines(terminal.shown) == ["Starting the speech recognition."]


def test_a_short_recording_is_dictated_as_plain_lines_where_there_is_no_terminal(
    sample: Path, first_words: bytes, without_microphone: dict[str, str], tmp_path: Path
) -> None:
    recording = wave_file(tmp_path / "words.wav", first_words[: 3 * 32_000])
    ended = dictate([str(recording)], without_microphone)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert "\x1b" not in ended.stdout
    assert "\r" not in ended.stdout
    assert re.search(r"^It was the best of times.* \(\d+\.\d\d s\)$", ended.stdout, re.MULTILINE)


def test_a_recording_that_is_not_there_is_told_and_ends(without_microphone: dict[str, str], tmp_path: Path) -> None:
    needs_package("av")
    ended = dictate([str(tmp_path / "nothing.wav")], without_microphone)
    assert ended.returncode == 1
    assert "nothing.wav" in ended.stderr


def dictate(words: Sequence[str], env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        voice_ime("dictate", *words), env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def server(sample: Path, without_microphone: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """A server that somebody else runs: its address and its token file."""
    process = subprocess.Popen(
        voice_ime("serve", "--port", "0"), env=without_microphone, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    match = re.search(r"ready at (\S+)\. The token is in (\S+)\.$", process.stdout.readline())
    assert match
    yield match[1], Path(match[2])
    process.terminate()
    process.wait(30)
    process.stdout.close()


def test_a_server_of_somebody_else_is_used_with_its_token(
    server: tuple[str, Path], first_words: bytes, without_microphone: dict[str, str], tmp_path: Path
) -> None:
    url, token_file = server
    recording = wave_file(tmp_path / "words.wav", first_words[: 3 * 32_000])
    ended = dictate([str(recording), "--url", url.removesuffix("/v1/dictate")], without_microphone)
    assert ended.returncode == 0, ended.stderr
    assert "best of times" in ended.stdout
    (tmp_path / "wrong").write_text(f"{token_file.read_text()}x")
    refused = dictate([str(recording), "--url", url, "--token-file", str(tmp_path / "wrong")], without_microphone)
    assert refused.returncode == 4
    assert "token" in refused.stderr


def test_where_no_server_answers_that_is_told(
    first_words: bytes, without_microphone: dict[str, str], tmp_path: Path
) -> None:
    recording = wave_file(tmp_path / "words.wav", first_words[:32_000])
    (tmp_path / "token").write_text("t")
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"ws://127.0.0.1:{free.getsockname()[1]}"
    ended = dictate([str(recording), "--url", url, "--token-file", str(tmp_path / "token")], without_microphone)
    assert ended.returncode == 4
    assert f"No server answers at {url}." in ended.stderr


WRONG = [
    (["--language", "English"], "--language"),
    (["--url", "http://localhost"], "--url"),
    (["--url", "ws://localhost", "--token-file", "/nowhere/token"], "--token-file"),
]


@pytest.mark.parametrize(("words", "wrong"), WRONG)
def test_a_wrong_option_is_told_by_its_name(words: list[str], wrong: str, without_microphone: dict[str, str]) -> None:
    needs_package("av")
    ended = dictate(["--sample", *words], without_microphone)
    assert ended.returncode == 2
    assert wrong in ended.stderr


def wave_file(path: Path, pcm: bytes) -> Path:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(pcm)
    return path
