"""`voice-ime dictate` in Mandarin: real sound, a real server, a real terminal, everything said in Chinese."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.audio.sound_service import SoundService, needs_sound_service
from tests.audio.terminal import CTRL_C, ENTER, Terminal, environment, voice_ime
from tests.audio.test_dictate import NO_SERVICE, children, lines
from tests.contract.engine_contract import MODELS, sound_of
from tests.needs import needs_package
from voice_ime.audio import to_pcm16

for package in ("av", "fastapi", "miniaudio", "onnxruntime", "sherpa-onnx", "kaldi-native-fbank", "faster-whisper"):
    needs_package(package)

MICRO = MODELS / "micro_zh"
DICTATE = ("--messages", "zh", "dictate", "--engine", "sherpa", "--model", str(MICRO / "streaming-transducer"))
FIRST, SECOND = "老赵的声音在成都", "小林的邮件在武汉"
SETTLED = r"（\d+\.\d\d 秒）"


def clip(number: int) -> bytes:
    return to_pcm16(sound_of(MICRO / "clips" / f"trained-{number}.ogg"))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SoundService]:
    needs_sound_service()
    service = SoundService(tmp_path)
    service.start()
    yield service
    service.kill()


@pytest.fixture
def terminal(service: SoundService, tmp_path: Path) -> Iterator[Terminal]:
    more = service.environment | {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    with closing(Terminal(voice_ime(*DICTATE), environment(**more))) as terminal:
        terminal.wait_for("准备好了。")
        yield terminal


def finals(terminal: Terminal) -> list[str]:
    whole = [line.rpartition("\x1b[K")[2] for line in lines(terminal.shown)]  # without the partial before it
    return [line.partition("（")[0] for line in whole if re.search(SETTLED, line)]


def test_what_is_said_in_mandarin_is_in_the_terminal(terminal: Terminal, service: SoundService) -> None:
    for number, text in ((24, FIRST), (36, SECOND)):
        terminal.press(ENTER)
        terminal.wait_for("正在听。")
        service.play(clip(number))
        terminal.press(ENTER)
        terminal.wait_for(text + SETTLED)
    terminal.press(CTRL_C)

    assert terminal.end() == 0
    assert finals(terminal) == [FIRST, SECOND]
    assert re.fullmatch(r"共 2 句，定稿延迟 p50 为 \d\.\d\d 秒，p95 为 \d\.\d\d 秒。", lines(terminal.shown)[-1])


def test_ctrl_c_while_listening_still_gives_the_whole_sentence(terminal: Terminal, service: SoundService) -> None:
    terminal.press(ENTER)
    terminal.wait_for("正在听。")
    service.play(clip(24))
    terminal.press(CTRL_C)

    assert terminal.end() == 0
    assert finals(terminal) == [FIRST]


def test_a_server_that_is_killed_between_two_sentences_loses_and_doubles_none(
    terminal: Terminal, service: SoundService
) -> None:
    terminal.press(ENTER)
    terminal.wait_for("正在听。")
    service.play(clip(24))
    for child in children(terminal.process.pid):
        os.kill(child, signal.SIGKILL)
    service.play(clip(36))
    terminal.press(ENTER)
    terminal.wait_for("语音识别恢复了。")
    terminal.wait_for(SECOND + SETTLED)
    terminal.press(CTRL_C)

    assert terminal.end() == 0
    assert "".join(finals(terminal)) == FIRST + SECOND


def test_a_microphone_that_dies_is_told_in_chinese_and_after_it_came_back_it_hears(
    terminal: Terminal, service: SoundService
) -> None:
    terminal.press(ENTER)
    terminal.wait_for("正在听。")
    service.kill()
    terminal.wait_for("麦克风没有声音")
    service.start()
    terminal.wait_for("麦克风恢复了。")
    service.play(clip(36))
    terminal.press(ENTER)
    terminal.wait_for(SECOND + SETTLED)
    terminal.press(CTRL_C)

    assert terminal.end() == 0


def test_a_mandarin_recording_is_dictated_as_plain_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    folders = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    command = voice_ime(*DICTATE, str(MICRO / "clips" / "trained-24.ogg"))
    ended = subprocess.run(
        command, env=environment(PULSE_SERVER=NO_SERVICE, **folders),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(rf"^{FIRST}{SETTLED}$", ended.stdout, re.MULTILINE)
