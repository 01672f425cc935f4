"""`voice-ime key`: what a key of the desktop client does, for keys that the person has bound elsewhere."""

import argparse
import sys
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
    number = messages("help.number_word")
    parser.add_argument("number", type=int, nargs="?", metavar=number, help=messages("key.help_number"))


def run(arguments: argparse.Namespace, settings: "Settings | None", messages: Messages) -> int:
    from voice_ime_desktop.hotkeys.control import NUMBERED, send

    if arguments.number is not None and arguments.word not in NUMBERED:
        print(messages("usage.unknown", words=arguments.number), file=sys.stderr)
        return ExitCode.WRONG_USAGE
    line = arguments.word if arguments.number is None else f"{arguments.word} {arguments.number}"
    if not send(arguments.control_socket, line):
        raise DesktopNotRunning()  # what answers there is no client of this version
    return ExitCode.OK
