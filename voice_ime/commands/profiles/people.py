"""`voice-ime profile list, create, delete`."""

import argparse

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.profiles.desk import Desk
from voice_ime.messages import Messages


def list_arguments(parser: Parser, messages: Messages) -> None:
    """None of its own."""


def list_profiles(desk: Desk, arguments: argparse.Namespace) -> int:
    summaries = desk.store.profiles()
    for each in summaries:
        row = {"name": each.name, "revision": each.revision, "entries": each.entries, "rules": each.rules}
        desk.tell(row, "profile.listed", **row)
    if not summaries:
        desk.say("profile.none")
    return ExitCode.OK


def create_arguments(parser: Parser, messages: Messages) -> None:
    parser.add_argument("name", metavar=messages("help.name_word"), help=messages("profile.help.new_name"))


def create(desk: Desk, arguments: argparse.Namespace) -> int:
    desk.store.create(arguments.name)
    desk.tell({"created": arguments.name}, "profile.created", name=arguments.name)
    return ExitCode.OK


def delete_arguments(parser: Parser, messages: Messages) -> None:
    name = messages("help.name_word")
    parser.add_argument("name", metavar=name, help=messages("profile.help.name"))
    parser.add_argument("--confirm", default="", metavar=name, help=messages("profile.help.confirm"))


def delete(desk: Desk, arguments: argparse.Namespace) -> int:
    desk.store.delete(arguments.name, arguments.confirm)
    desk.tell({"deleted": arguments.name}, "profile.deleted", name=arguments.name)
    return ExitCode.OK
