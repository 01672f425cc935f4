"""The command line: what it says, in which language, and with which exit code it ends."""

import argparse
import errno
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from voice_ime import __version__, errors
from voice_ime.cli import COMMANDS, Command, main
from voice_ime.command_line import Parser, columns, wrapped
from voice_ime.commands import ExitCode, exit_code_of_kind
from voice_ime.errors import (
    ConfigError,
    DiskFull,
    MicrophoneAbsent,
    ModelNotFound,
    PortTaken,
    ServerRefused,
    VoiceImeError,
    WrongToken,
)
from voice_ime.messages import LANGUAGES, Messages
from voice_ime.settings import Settings

CHINESE = {"LANG": "zh_CN.UTF-8"}
MARKER = "xylophone"


@dataclass
class Probe:
    """A command that does what it is told and keeps what it was given."""

    does: Callable[[], int] = lambda: 0
    given: list[tuple[argparse.Namespace, Settings, Messages]] = field(default_factory=list)

    def add_arguments(self, parser: Parser, messages: Messages) -> None:
        parser.add_argument("--port", type=int)
        parser.add_argument("--fast", action="store_true")
        parser.add_argument("--kind", choices=("a", "b"))
        parser.add_argument("files", nargs="*")

    def run(self, arguments: argparse.Namespace, settings: Settings, messages: Messages) -> int:
        self.given.append((arguments, settings, messages))
        return self.does()

    def started(self, *words: str, **environment: str) -> int:
        command = Command("serve", lambda: self, "server")
        return main(["serve", *words], environment=environment, commands=[command])

    @property
    def arguments(self) -> argparse.Namespace:
        return self.given[0][0]

    @property
    def settings(self) -> Settings:
        return self.given[0][1]


def raising(error: BaseException) -> Probe:
    def does() -> int:
        raise error

    return Probe(does)


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("voice_ime", "voice_ime_desktop")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


# --- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["--help"], ["-h"], *([command.name, "--help"] for command in COMMANDS)])
def test_help_is_wholly_in_english_or_wholly_in_chinese(words: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(words, environment={}) == 0
    english = capsys.readouterr().out
    assert not re.search("[一-鿿]", english)
    assert main(words, environment=CHINESE) == 0
    chinese = capsys.readouterr().out
    for line in chinese.splitlines():
        bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|--?[a-z-]+|voice-ime\S*|\s(serve|dictate|transcribe|doctor)\b", " ", line)
        sentence = re.sub(r"\b(Ctrl-C|JSON|WAV|en|zh|warning|ws|token|URL)\b", "", bare)
        assert not re.search("[A-Za-z]{2,}", sentence) or re.search("[一-鿿]", sentence), line


def test_an_option_chooses_the_language_of_the_help(capsys: pytest.CaptureFixture[str]):
    for words in (["--messages", "zh", "--help"], ["--messages=zh", "--help"], ["--help", "--messages", "zh"]):
        main(words, environment={"LANG": "C"})
        assert "用法" in capsys.readouterr().out
    main(["--messages", "en", "--help"], environment=CHINESE)
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_tells_every_exit_code(language: str, capsys: pytest.CaptureFixture[str]):
    main(["--messages", language, "--help"], environment={})
    said = capsys.readouterr().out
    assert [code for code in ExitCode if not re.search(rf"^{code.value}  \S", said, re.MULTILINE)] == []


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]):
    assert main(["--version"], environment={}) == 0
    assert capsys.readouterr().out == f"voice-ime {__version__}\n"


def test_without_a_command_the_help_is_shown_as_a_mistake(capsys: pytest.CaptureFixture[str]):
    assert main([], environment={}) == ExitCode.WRONG_USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert "transcribe" in said.err


def test_lines_are_broken_so_that_wide_characters_fit():
    text = "所有数据都留在这台电脑上，不会离开。" * 3 + " and some English words as well"
    lines = wrapped(text, 20)
    assert all(columns(line) <= 20 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert not any(line.startswith(("，", "。")) for line in lines)


# --- complaints ------------------------------------------------------------------------------------------------------

MISTAKES = [
    (["nonsense"], "There is no command nonsense. There are: serve.", "没有命令 nonsense。可用的命令有：serve。"),
    (["serve", "--port"], "--port needs a value after it.", "--port 后面需要一个值。"),
    (["serve", "--port", "x"], "--port must be a number, not x.", "--port 必须是数字，不能是 x。"),
    (["serve", "--kind", "c"], "--kind cannot be c. It can be: a, b.", "--kind 不能是 c，只能是：a、b。"),
    (["serve", "--fast=1"], "--fast takes no value.", "--fast 后面不带值。"),
    (["serve", "--slow"], "This was not understood: --slow.", "无法理解：--slow。"),
]


@pytest.mark.parametrize(("words", "english", "chinese"), MISTAKES, ids=[" ".join(row[0]) for row in MISTAKES])
def test_a_mistake_is_told_in_one_language_with_the_way_to_help(
    words: list[str], english: str, chinese: str, capsys: pytest.CaptureFixture[str]
):
    commands = [Command("serve", Probe, "server")]
    for environment, complaint, way in (({}, english, "To see"), (CHINESE, chinese, "查看")):
        assert main(words, environment=environment, commands=commands) == ExitCode.WRONG_USAGE
        first, second = capsys.readouterr().err.splitlines()
        assert first == complaint
        assert second.startswith(way)
        assert second.endswith("--help")


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str]):
    assert main(["transcribe"], environment={}) == ExitCode.WRONG_USAGE
    assert capsys.readouterr().err.startswith("Something is missing: FILE.")


# --- ends ------------------------------------------------------------------------------------------------------------


def test_the_exit_code_is_that_of_the_command():
    assert Probe(lambda: 0).started() == 0
    assert Probe(lambda: 5).started() == 5


def test_an_error_becomes_two_sentences_and_an_exit_code(capsys: pytest.CaptureFixture[str]):
    probe = raising(ModelNotFound(model="small", where="/models", command="hf download small"))
    assert probe.started() == ExitCode.NO_MODEL
    assert capsys.readouterr().err.splitlines() == [
        "The speech model small is not on this machine. It was looked for in /models.",
        "Get it with: hf download small",
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(where="a", detail="b"), 2),
        (MicrophoneAbsent(), 5),
        (PortTaken(host="a", port=1), 4),
        (WrongToken(), 4),
        (DiskFull(path="a"), 6),
        (ServerRefused(code="model_damaged", message="a", remedy="b"), 3),
        (ServerRefused(code="wrong_token", message="a", remedy="b"), 4),
        (ServerRefused(code="from the future", message="a", remedy="b"), 4),
    ],
)
def test_the_exit_code_tells_the_kind_of_error(error: VoiceImeError, code: int):
    assert raising(error).started() == code


def test_every_error_but_a_fault_of_ours_has_an_exit_code_of_its_own_kind():
    """Those of the desktop are told while it runs and end no command."""
    without = {errors.VoiceImeError, errors.EngineError}
    kinds = [kind for kind in _kinds() if kind not in without and not issubclass(kind, errors.DesktopError)]
    assert [kind.__name__ for kind in kinds if exit_code_of_kind(kind) is ExitCode.INTERNAL] == []


def _kinds() -> list[type[VoiceImeError]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, VoiceImeError)]
    return sorted(kinds, key=lambda kind: kind.__name__)


def test_of_several_errors_at_once_the_one_that_helps_is_told(capsys: pytest.CaptureFixture[str]):
    group = ExceptionGroup("", [ExceptionGroup("", [KeyError("a")]), MicrophoneAbsent()])
    assert raising(group).started() == ExitCode.NO_MICROPHONE
    assert "There is no microphone." in capsys.readouterr().err


def test_ctrl_c_ends_without_words(capsys: pytest.CaptureFixture[str]):
    assert raising(KeyboardInterrupt()).started() == 130
    assert raising(BaseExceptionGroup("", [KeyboardInterrupt()])).started() == 130
    assert capsys.readouterr().err == ""


def test_a_fault_of_ours_is_told_without_its_innards(capsys: pytest.CaptureFixture[str]):
    assert raising(RuntimeError(MARKER)).started() == ExitCode.INTERNAL
    said = capsys.readouterr().err
    assert said.startswith("Something went wrong inside voice-ime.")
    assert MARKER not in said
    assert "Traceback" not in said


def test_the_log_tells_where_a_fault_happened_but_never_what_was_said(caplog: pytest.LogCaptureFixture):
    raising(RuntimeError(MARKER)).started("--log-level", "debug")
    assert "RuntimeError" in caplog.text
    assert "test_cli.py" in caplog.text
    assert MARKER not in caplog.text


def test_libraries_never_log_more_than_warnings():
    Probe().started("--log-level", "debug")
    assert logging.getLogger("voice_ime.engine").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("websockets").isEnabledFor(logging.INFO)


def test_a_full_disk_is_told(capsys: pytest.CaptureFixture[str]):
    probe = raising(OSError(errno.ENOSPC, "No space left on device"))
    assert probe.started(**CHINESE) == ExitCode.NO_OUTPUT
    assert capsys.readouterr().err.startswith("无法写入 输出：磁盘已满。")


def test_a_reader_that_has_heard_enough_is_no_reason_for_words(capsys: pytest.CaptureFixture[str]):
    assert raising(BrokenPipeError(errno.EPIPE, "Broken pipe")).started() == ExitCode.NO_OUTPUT
    assert capsys.readouterr().err == ""


def test_a_part_that_is_not_installed_is_told_with_the_command_that_installs_it(capsys: pytest.CaptureFixture[str]):
    probe = raising(ModuleNotFoundError("No module named 'numpy'", name="numpy"))
    assert probe.started() == ExitCode.NO_MODEL
    said = capsys.readouterr().err
    assert "numpy" in said
    assert "pip install 'voice-ime[server]'" in said


# --- settings --------------------------------------------------------------------------------------------------------


def test_without_a_settings_file_the_settings_are_the_usual_ones(tmp_path: Path):
    probe = Probe()
    probe.started(HOME=str(tmp_path))
    assert probe.settings == Settings().kept_in(tmp_path / ".local" / "state" / "voice-ime")


def test_a_settings_file_in_its_usual_place_is_found(tmp_path: Path):
    write_settings(tmp_path / ".config", "[server]\nport = 4321\n")
    probe = Probe()
    probe.started(HOME=str(tmp_path))
    assert probe.settings.server.port == 4321


def test_the_system_may_keep_settings_elsewhere(tmp_path: Path):
    write_settings(tmp_path / "elsewhere", "[server]\nport = 4321\n")
    probe = Probe()
    probe.started(HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path / "elsewhere"))
    assert probe.settings.server.port == 4321


def test_options_go_before_the_settings_file(tmp_path: Path):
    file = write_settings(tmp_path, 'language = "en"\n[engine]\nname = "moonshine-tiny-en"\nworkers = 7\n')
    probe = Probe()
    probe.started("--config", str(file), "--engine", "whisper", "--model", "/models/small", "--messages", "zh")
    engine = probe.settings.engine
    assert (engine.name, engine.workers, engine.whisper.folder) == ("whisper", 7, Path("/models/small"))
    assert engine.moonshine.folder is None
    assert probe.settings.language == "zh"


def test_what_the_settings_say_of_their_model_does_not_hold_for_the_one_of_the_option(tmp_path: Path):
    own = '[engine.sherpa]\nfolder = "/models/a"\nkind = "ctc"\nlanguages = ["zh"]\nthreads = 3\n'
    file = str(write_settings(tmp_path, '[engine]\nname = "sherpa"\n' + own))
    other, same = Probe(), Probe()
    other.started("--config", file, "--model", "/models/b")
    same.started("--config", file, "--model", "/models/a")
    sherpa = other.settings.engine.sherpa
    assert (sherpa.folder, sherpa.kind, sherpa.languages, sherpa.threads) == (Path("/models/b"), None, (), 3)
    assert same.settings.engine.sherpa.kind == "ctc"


def test_options_that_every_command_has_may_stand_before_it_or_behind_it(tmp_path: Path):
    before, behind = Probe(), Probe()
    command = Command("serve", lambda: before, "server")
    main(["--engine", "script", "--log-level", "error", "serve"], environment={}, commands=[command])
    behind.started("--engine", "script", "--log-level", "error")
    assert before.settings == behind.settings
    assert before.settings.engine.name == "script"


@pytest.mark.parametrize(
    ("written", "environment", "language"),
    [("", {}, "en"), ("", CHINESE, "zh"), ('language = "en"', CHINESE, "en"), ('language = "zh"', {}, "zh")],
)
def test_the_language_is_that_of_the_settings_or_else_of_the_system(
    tmp_path: Path, written: str, environment: dict[str, str], language: str
):
    probe = Probe()
    probe.started("--config", str(write_settings(tmp_path, written)), **environment)
    _, settings, messages = probe.given[0]
    assert settings.language == messages.language == language


WRONG = [
    ("[server]\nport = 99999\n", "The setting server.port is wrong: it can be 65535 at most.", "最多是 65535"),
    ("[server]\nprot = 1\n", "The setting server.prot is wrong: there is no such setting.", "没有这项设置"),
    ("[server]\nport = 'a'\n", "The setting server.port is wrong: it must be a whole number.", "必须是整数"),
    ("[speech]\nthreshold = 0\n", "The setting speech.threshold is wrong: it must be more than 0.", "必须大于 0"),
    (
        "[desktop]\nspeech = 'loud'\n",
        "The setting desktop.speech is wrong: it must be true or false.",
        "必须是 true 或 false",
    ),
    ("[desktop]\ntalk = 'sing'\n", "The setting desktop.talk is wrong: it can be hold, toggle.", "可以是 hold、toggle"),
    ("languages = 1\n", "The setting languages is wrong: it must be a list in square brackets.", "列表"),
    ("models = 1\n", "The setting models is wrong: it must have names and values.", "名称和取值"),
    ("[models]\nfolder = 1\n", "The setting models.folder is wrong: it must be text.", "必须是文字"),
    ("[engine.others.a]\n", "The setting engine.others.a.name is wrong: it is missing.", "没有写"),
    (
        "[engine]\nname = 'a'\nothers.a.name = 'b'\n",
        "The setting engine is wrong: a is the name of two engines.",
        "同名",
    ),
    ("[engine.others.usual]\nname = 'b'\n", "The setting engine is wrong: an engine cannot be called usual.", "不能叫"),
    ("profile = 'Á'\n", "The setting profile is wrong: it has characters that it cannot have, or too many.", "字符"),
    ("[desktop\n", " is wrong: line 1 cannot be understood, from character 9 on.", "第 1 行"),
    ("[desktop", " is wrong: its end cannot be understood.", "结尾"),
]


@pytest.mark.parametrize(("written", "english", "chinese"), WRONG)
def test_a_wrong_setting_is_told_in_plain_words(
    tmp_path: Path, written: str, english: str, chinese: str, capsys: pytest.CaptureFixture[str]
):
    file = str(write_settings(tmp_path, written))
    assert Probe().started("--config", file) == ExitCode.WRONG_USAGE
    assert capsys.readouterr().err.splitlines()[0].endswith(english)
    assert Probe().started("--config", file, **CHINESE) == ExitCode.WRONG_USAGE
    assert chinese in capsys.readouterr().err


def test_a_settings_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert Probe().started("--config", str(tmp_path / "gone.toml")) == ExitCode.WRONG_USAGE
    assert "there is no such file" in capsys.readouterr().err


def test_a_settings_file_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert Probe().started("--config", str(tmp_path)) == ExitCode.WRONG_USAGE
    assert capsys.readouterr().err.startswith(f"The setting {tmp_path} is wrong: it is a folder.")
    assert Probe().started("--config", str(tmp_path), **CHINESE) == ExitCode.WRONG_USAGE
    assert capsys.readouterr().err.startswith(f"设置 {tmp_path} 有误：这是一个文件夹。")


def test_an_engine_without_files_takes_no_model_folder(capsys: pytest.CaptureFixture[str]):
    assert Probe().started("--engine", "script", "--model", "/models/small") == ExitCode.WRONG_USAGE
    assert "the engine script takes no model folder" in capsys.readouterr().err


def test_a_command_learns_where_the_program_keeps_things(tmp_path: Path):
    at_home, elsewhere = Probe(), Probe()
    at_home.started(HOME="/home/ann")
    elsewhere.started(HOME="/home/ann", XDG_STATE_HOME="/state")
    assert at_home.arguments.state_folder == Path("/home/ann/.local/state/voice-ime")
    assert elsewhere.arguments.state_folder == Path("/state/voice-ime")


@pytest.mark.parametrize("value", ["70000", "-1"])
def test_the_server_is_not_started_on_a_port_that_cannot_be(value: str, capsys: pytest.CaptureFixture[str]):
    assert main(["serve", f"--port={value}"], environment={}) == ExitCode.WRONG_USAGE
    assert capsys.readouterr().err.startswith("The setting --port is wrong:")


def write_settings(folder: Path, text: str) -> Path:
    file = folder / "voice-ime" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    return file
