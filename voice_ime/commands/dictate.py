"""`voice-ime dictate`: speak, and the text is in the terminal."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands.whose import add_profile, profile_of
from voice_ime.errors import ConfigError
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings


def add_arguments(parser: Parser, messages: Messages) -> None:
    file = messages("help.file_word")
    parser.epilog = messages("dictate.help_ending")
    parser.add_argument("file", type=Path, nargs="?", metavar=file, help=messages("dictate.help_file"))
    parser.add_argument("--terminal", action="store_true", help=messages("dictate.help_terminal"))
    parser.add_argument("--sample", action="store_true", help=messages("dictate.help_sample"))
    parser.add_argument("--url", metavar=messages("dictate.url_word"), help=messages("dictate.help_url"))
    parser.add_argument("--token-file", type=Path, metavar=file, help=messages("dictate.help_token_file"))
    parser.add_argument("--language", metavar=messages("dictate.language_word"), help=messages("dictate.help_language"))
    add_profile(parser, messages)
    parser.add_argument("--partials", action=argparse.BooleanOptionalAction, help=messages("dictate.help_partials"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    if arguments.language is not None and not re.fullmatch("[a-z]{2}", arguments.language):
        raise ConfigError(where="--language", detail=messages("dictate.two_letters"))
    if _belongs_on_the_desktop(arguments):
        from voice_ime.commands import desktop

        return desktop.run(arguments, settings, messages)
    if arguments.url is None and arguments.file is None and not arguments.sample:
        from voice_ime.commands.models import first_start

        first_start(arguments, settings, messages)
    import asyncio

    from voice_ime.local_server import same_settings
    from voice_ime.start_dictating import Wishes, start_dictating

    wishes = Wishes(
        file=arguments.file,
        sample=arguments.sample,
        url=arguments.url,
        token_file=arguments.token_file or arguments.state_folder / "token",
        language=arguments.language,
        partials=arguments.partials is not False,
        profile=profile_of(arguments, settings),
    )
    return asyncio.run(start_dictating(wishes, messages, same_settings(arguments)))


def _belongs_on_the_desktop(arguments: argparse.Namespace) -> bool:
    """Where nothing else was asked for, a person at a desktop wants the words in the window that has the focus."""
    asked = (arguments.file, arguments.url, arguments.partials)
    if arguments.terminal or arguments.sample or any(value is not None for value in asked):
        return False
    return bool(arguments.environment.get("DISPLAY")) and _has_microphone()


def _has_microphone() -> bool:
    from voice_ime_desktop.microphone import require_microphone

    from voice_ime.errors import MicrophoneError

    try:
        require_microphone()
    except MicrophoneError:
        return False
    return True
