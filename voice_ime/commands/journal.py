"""`voice-ime journal`: what was said and what became of it."""

import argparse
import json
import time
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime_desktop.journal import Entry, Journal

    from voice_ime.settings import Settings

ACTIONS = ("list", "insert", "forget")
HASTE_S = 3.0
"""Time to go to the window where a text is to be inserted."""


def add_arguments(parser: Parser, messages: Messages) -> None:
    number = messages("help.number_word")
    parser.add_argument("action", choices=ACTIONS, help=messages("journal.help_action"))
    parser.add_argument("number", type=int, nargs="?", metavar=number, help=messages("journal.help_number"))
    parser.add_argument("--all", action="store_true", help=messages("journal.help_all"))
    parser.add_argument("--json", action="store_true", help=messages("journal.help_json"))
    parser.add_argument("--after", type=float, default=HASTE_S, metavar=number, help=messages("journal.help_after"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    from voice_ime_desktop.journal import FILE, Journal

    desktop = settings.desktop
    journal = Journal(arguments.state_folder / FILE, most=desktop.journal_most, days=desktop.journal_days)
    try:
        match arguments.action:
            case "list":
                return _list(journal, messages, as_json=arguments.json)
            case "insert":
                return _insert(journal, arguments, messages)
            case _:
                return _forget(journal, arguments, messages)
    finally:
        journal.close()


def _list(journal: "Journal", messages: Messages, *, as_json: bool) -> int:
    entries = journal.entries()
    if as_json:
        for entry in entries:
            row = {"number": entry.number, "at": entry.at, "text": entry.text, "application": entry.application}
            print(json.dumps(row | {"state": entry.state.value, "reason": entry.reason}, ensure_ascii=False))
        return ExitCode.OK
    for entry in entries:
        print(_sentence(entry, messages))
    if not entries:
        print(messages("journal.empty"))
    return ExitCode.OK


def _sentence(entry: "Entry", messages: Messages) -> str:
    became = messages(f"journal.state.{entry.state.value}")
    if entry.reason:
        became = f"{became} {messages(f'desktop.reason.{entry.reason}')}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.at))
    text = entry.text.strip() or messages("journal.no_text")
    return messages("journal.entry", number=entry.number, when=when, text=text, became=became)


def _insert(journal: "Journal", arguments: argparse.Namespace, messages: Messages) -> int:
    """The running client does it: it knows what has the focus."""
    from voice_ime_desktop.hotkeys.control import send
    from voice_ime_desktop.journal import AVAILABLE

    entry = journal.newest_available() if arguments.number is None else _find(journal, arguments.number)
    if entry is None or entry.state not in AVAILABLE or not entry.text:
        print(messages("desktop.nothing_held" if arguments.number is None else "journal.not_held"))
        return ExitCode.SOME_FAILED
    print(messages("journal.inserting", seconds=f"{arguments.after:g}"), flush=True)
    time.sleep(arguments.after)
    send(arguments.control_socket, f"insert {entry.number}")
    return ExitCode.OK


def _forget(journal: "Journal", arguments: argparse.Namespace, messages: Messages) -> int:
    if arguments.number is None and not arguments.all:
        print(messages("journal.forget_what"))
        return ExitCode.WRONG_USAGE
    count = journal.forget(None if arguments.all else arguments.number)
    print(messages("journal.forgotten", count=count))
    return ExitCode.OK if count or arguments.all else ExitCode.SOME_FAILED


def _find(journal: "Journal", number: int) -> "Entry | None":
    try:
        return journal.entry(number)
    except LookupError:
        return None
