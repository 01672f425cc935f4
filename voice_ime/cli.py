"""The command line: the one place where settings are built, errors become sentences, and the environment is read."""

import argparse
import contextlib
import errno
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from voice_ime import __version__
from voice_ime.command_line import Parser, wrong_value
from voice_ime.commands import ExitCode, exit_code_of
from voice_ime.errors import ConfigError, DiskFull, StoreError, VoiceImeError
from voice_ime.log import WithoutWords, told
from voice_ime.messages import LANGUAGES, Messages, language_of_locale

if TYPE_CHECKING:  # pydantic is only loaded when a command runs
    from voice_ime.settings import Settings

LOG_LEVELS = ("debug", "info", "warning", "error")

_log = logging.getLogger(__name__)


class Module(Protocol):
    """A file of voice_ime/commands."""

    def add_arguments(self, parser: Parser, messages: Messages) -> None: ...

    def run(self, arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
        """`arguments.state_folder` is the folder of what the program keeps (it may not exist yet), and
        `arguments.settings_file` the file of settings (likewise).

        `arguments.control_socket`: where the desktop client can be reached.
        """


@dataclass(frozen=True)
class Command:
    name: str
    load: Callable[[], Any]
    """Gives a `Module`."""
    extra: str
    """The part of the package that the command needs installed."""
    quick: bool = False
    """Is given None for the settings: loading them takes longer than the command itself."""


def _command(name: str, extra: str, *, quick: bool = False) -> Command:
    return Command(name, lambda: importlib.import_module(f"voice_ime.commands.{name}"), extra, quick)


COMMANDS = (
    _command("serve", "server"),
    _command("desktop", "server,desktop"),
    _command("dictate", "server,desktop"),
    _command("transcribe", "server"),
    _command("journal", "desktop"),
    _command("profile", "server"),
    _command("models", "server"),
    _command("doctor", "server"),
    _command("key", "desktop", quick=True),
    _command("bench", "server,desktop,bench"),
)


def main(
    argv: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    commands: Sequence[Command] = COMMANDS,
) -> int:
    """Run one command and return its exit status (`ExitCode`). Nothing is raised."""
    environment = os.environ if environment is None else environment
    words = list(sys.argv[1:] if argv is None else argv)
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal that cannot show a character
    messages = Messages(_asked_language(words) or language_of_locale(dict(environment)))
    end = _End(messages)
    with _ended(end):
        end.code = _run(words, environment, commands, messages, end)
    with _ended(end):
        print(end="", flush=True)  # what could not be written is to be told now
    return end.code


def _run(
    words: list[str], environment: Mapping[str, str], commands: Sequence[Command], messages: Messages, end: "_End"
) -> int:
    parser = _parser(messages, commands)
    arguments = parser.parse_args(words)
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return ExitCode.WRONG_USAGE
    command = next(command for command in commands if command.name == arguments.command)
    end.extra = command.extra
    _start_log(arguments.log_level)
    arguments.state_folder = _state_folder(environment)
    arguments.data_folder = _data_folder(environment)
    arguments.control_socket = _control_socket(environment)
    arguments.environment = environment
    arguments.settings_file = arguments.config or _usual_place(environment)
    if command.quick:
        return _run_quickly(command, arguments, environment, end)
    settings = _settings(arguments, environment, messages.language).kept_in(arguments.state_folder)
    end.messages = Messages(settings.language)
    return int(command.load().run(arguments, settings, end.messages))


def _run_quickly(command: Command, arguments: argparse.Namespace, environment: Mapping[str, str], end: "_End") -> int:
    """Without the settings, which are only asked when there is something to say, for its language."""
    try:
        return int(command.load().run(arguments, None, end.messages))
    except VoiceImeError:
        with contextlib.suppress(ConfigError):
            end.messages = Messages(_settings(arguments, environment, end.messages.language).language)
        raise


# --- the words of the command line -----------------------------------------------------------------------------------


def _parser(messages: Messages, commands: Sequence[Command]) -> Parser:
    parser = Parser(
        messages=messages, prog="voice-ime", description=messages("help.description"), epilog=_exit_codes(messages)
    )
    parser.set_defaults(config=None, engine=None, model=None, messages=None, log_level="warning")
    add_common(parser, messages)
    version = f"voice-ime {__version__}"
    parser.add_argument("--version", action="version", version=version, help=messages("help.version"))
    choice = parser.add_subparsers(
        title=messages("help.commands"), dest="command", metavar=messages("help.command_word"), parser_class=Parser
    )
    for command in commands:
        choice.add_parser(
            command.name,
            help=messages(f"help.{command.name}"),
            description=messages(f"help.{command.name}"),
            messages=messages,
            fill=_fill(command, messages),
        )
    return parser


def _fill(command: Command, messages: Messages) -> Callable[[Parser], None]:
    def fill(parser: Parser) -> None:
        command.load().add_arguments(parser, messages)
        add_common(parser, messages)

    return fill


def add_common(parser: Parser, messages: Messages) -> None:
    """The options of every command.

    They may stand before or after the command, so no defaults: the second parser would undo what the first has read.
    """
    file, folder = messages("help.file_word"), messages("help.folder_word")
    name = messages("help.name_word")
    options: tuple[tuple[str, dict[str, Any]], ...] = (
        ("--config", {"type": Path, "metavar": file, "help": messages("help.config")}),
        ("--engine", {"metavar": name, "help": messages("help.engine")}),
        ("--model", {"type": Path, "metavar": folder, "help": messages("help.model")}),
        ("--messages", {"choices": LANGUAGES, "help": messages("help.messages")}),
        ("--log-level", {"choices": LOG_LEVELS, "help": messages("help.log_level")}),
    )
    group = parser.add_argument_group(messages("help.common"))
    for option, how in options:
        group.add_argument(option, default=argparse.SUPPRESS, **how)


def _exit_codes(messages: Messages) -> str:
    sentences = [(code.value, messages(f"exit.{code.name.lower()}")) for code in ExitCode]
    rows = [f"{value}  {sentence}" for value, sentence in sentences]
    return "\n".join([messages("help.exit_codes"), *rows])


def _asked_language(words: Sequence[str]) -> str | None:
    """The value of --messages, which must be known before anything can be said."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        value = following if word == "--messages" else word.removeprefix("--messages=")
        if word.startswith("--messages") and value in LANGUAGES:
            return value
    return None


# --- settings --------------------------------------------------------------------------------------------------------


def _settings(arguments: argparse.Namespace, environment: Mapping[str, str], language: str) -> "Settings":
    from voice_ime.settings import load_settings

    file = arguments.config or _usual_file(environment)
    overrides: dict[str, Any] = {"engine": {"name": arguments.engine}} if arguments.engine else {}
    if arguments.messages:
        overrides["language"] = arguments.messages
    settings = load_settings(file, overrides)
    if "language" not in settings.model_fields_set:
        settings = settings.model_copy(update={"language": language})
    return _with_model(settings, arguments.model)


def _usual_file(environment: Mapping[str, str]) -> Path | None:
    """Where settings are kept, if there are any."""
    file = _usual_place(environment)
    return file if file.is_file() else None


def _usual_place(environment: Mapping[str, str]) -> Path:
    home = environment.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path(environment.get("HOME") or "/") / ".config") / "voice-ime" / "settings.toml"


def _state_folder(environment: Mapping[str, str]) -> Path:
    """Where the program keeps what is neither a setting nor a text, e.g. the token of the server."""
    home = environment.get("XDG_STATE_HOME")
    return (Path(home) if home else Path(environment.get("HOME") or "/") / ".local" / "state") / "voice-ime"


def _data_folder(environment: Mapping[str, str]) -> Path:
    """Where the program keeps what people put into it, e.g. their profiles."""
    home = environment.get("XDG_DATA_HOME")
    return (Path(home) if home else Path(environment.get("HOME") or "/") / ".local" / "share") / "voice-ime"


def _control_socket(environment: Mapping[str, str]) -> Path:
    """Where the desktop client of this person takes presses: gone with the session where the system allows."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    return (Path(runtime) / "voice-ime" if runtime else _state_folder(environment)) / "control.sock"


def _with_model(settings: "Settings", folder: Path | None) -> "Settings":
    """--model names the folder of whichever engine was chosen. UnknownEngine, ConfigError for one that has none."""
    if folder is None:
        return settings
    from voice_ime.engine.catalog import facts
    from voice_ime.settings import SherpaSettings

    part = facts(settings.engine.name).settings or ""
    own = getattr(settings.engine, part, None)
    if own is None or not hasattr(own, "folder"):
        raise ConfigError(
            where="--model", detail=Messages(settings.language)("cli.no_folder", engine=settings.engine.name)
        )
    moved = own.with_model(folder) if isinstance(own, SherpaSettings) else own.model_copy(update={"folder": folder})
    engine = settings.engine.model_copy(update={part: moved})
    return settings.model_copy(update={"engine": engine})


# --- log and end -----------------------------------------------------------------------------------------------------


def _start_log(level: str) -> None:
    """Only our own loggers follow the level: libraries log whole messages, and with them what was said."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WithoutWords())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    for name in ("voice_ime", "voice_ime_desktop"):
        logging.getLogger(name).setLevel(level.upper())


@dataclass
class _End:
    """What is known about the run when it ends."""

    messages: Messages
    code: int = ExitCode.OK
    extra: str = ""


@contextlib.contextmanager
def _ended(end: _End) -> Iterator[None]:
    """The one place where whatever ends a command early becomes sentences on stderr and an exit status."""
    try:
        yield
    except SystemExit as ended:
        end.code = ended.code if isinstance(ended.code, int) else ExitCode.OK
    except (KeyboardInterrupt, Exception, BaseExceptionGroup) as error:
        end.code = _told(_innermost(error), end)


def _told(error: BaseException, end: _End) -> int:
    match error:
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED
        case ConfigError(values={"where": where, "detail": detail}) if type(error) is ConfigError:
            _say(*end.messages.error(ConfigError(where=where, detail=wrong_value(str(detail), end.messages))))
            return exit_code_of(error)
        case VoiceImeError():
            _say(*end.messages.error(error))
            return exit_code_of(error)
        case BrokenPipeError():
            _leave_stdout()
            return ExitCode.NO_OUTPUT
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            _leave_stdout()
            return _told(DiskFull(path=end.messages("cli.standard_output")), end)
        case OSError(errno=errno.EIO | errno.EBADF):
            _leave_stdout()
            reason = error.strerror or type(error).__name__
            return _told(StoreError(path=end.messages("cli.standard_output"), detail=reason), end)
        case ModuleNotFoundError(name=str(name)) if not name.startswith("voice_ime"):
            _say(end.messages("cli.package_missing", package=name), end.messages("cli.install_extra", extra=end.extra))
            return ExitCode.NO_MODEL
    _log.debug("%s", told(error))
    _say(*end.messages.error(VoiceImeError()))
    return ExitCode.INTERNAL


def _innermost(error: BaseException) -> BaseException:
    """Of several errors at once the one that people can do something about, else the first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner = [_innermost(each) for each in error.exceptions]
    return next((each for each in inner if isinstance(each, VoiceImeError)), inner[0])


def _say(*sentences: str) -> None:
    with contextlib.suppress(OSError):
        print(*sentences, sep="\n", file=sys.stderr, flush=True)


def _leave_stdout() -> None:
    """What is still in the buffer cannot be written; without this the interpreter would try and complain at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
