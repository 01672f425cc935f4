"""Whose words are used in dictation: an option of several commands."""

import argparse
import re
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.errors import WrongName
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings


def add_profile(parser: Parser, messages: Messages) -> None:
    parser.add_argument("--profile", metavar=messages("help.name_word"), help=messages("dictate.help_profile"))


def profile_of(arguments: argparse.Namespace, settings: "Settings") -> str | None:
    """The name of the profile; None: nobody's words. WrongName for what no profile can be called."""
    name: str = settings.profile if arguments.profile is None else arguments.profile
    if name and not re.fullmatch("[a-z0-9][a-z0-9_-]{0,63}", name):
        raise WrongName()
    return name or None
