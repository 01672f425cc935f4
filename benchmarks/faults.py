"""Dictation while things break."""

import argparse
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings


def add_arguments(parser: Parser, messages: Messages) -> None:
    number = messages("help.number_word")
    parser.add_argument("--utterances", type=int, default=300, metavar=number, help=messages("bench.help_utterances"))
    parser.add_argument("--seed", type=int, default=1, metavar=number, help=messages("bench.help_seed"))
    parser.add_argument("--json", action="store_true", help=messages("bench.help_json"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    raise NotImplementedError
