"""`voice-ime key`: what a key of the desktop client does, for keys that the person has bound elsewhere."""

import argparse
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.errors import DesktopNotRunning
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings


def add_arguments(parser: Parser, messages: Messages) -> None:
    from voice_ime_desktop.hotkeys.control import WORDS

    parser.add_argument("word", choices=tuple(WORDS), help=messages("key.help_word"))


def run(arguments: argparse.Namespace, settings: "Settings | None", messages: Messages) -> int:
    from voice_ime_desktop.hotkeys.control import send

    if not send(arguments.control_socket, arguments.word):
        raise DesktopNotRunning()  # what answers there is no client of this version
    return ExitCode.OK
