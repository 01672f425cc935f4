"""`voice-ime profile`: a person's words and rules, on this machine, without a server.

An action is two functions of a file in `profiles` and a row of `ACTIONS`; its sentence is `profile.action.<name>`.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands.profiles import files, history, learned, people, rescue, trial, wishes, words
from voice_ime.commands.profiles.desk import Desk
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings


@dataclass(frozen=True)
class Action:
    name: str
    add_arguments: Callable[[Parser, Messages], None]
    run: Callable[[Desk, argparse.Namespace], int]


ACTIONS = (
    Action("list", people.list_arguments, people.list_profiles),
    Action("create", people.create_arguments, people.create),
    Action("delete", people.delete_arguments, people.delete),
    Action("add", words.add_arguments, words.add),
    Action("edit", words.edit_arguments, words.edit),
    Action("remove", words.remove_arguments, words.remove),
    Action("rule", words.rule_arguments, words.rule),
    Action("entries", words.entries_arguments, words.entries),
    Action("learned", learned.learned_arguments, learned.learned),
    Action("preferences", wishes.preferences_arguments, wishes.preferences),
    Action("import", files.import_arguments, files.import_file),
    Action("export", files.export_arguments, files.export_file),
    Action("test", trial.test_arguments, trial.test),
    Action("log", history.log_arguments, history.log),
    Action("undo", history.undo_arguments, history.undo),
    Action("rescue", rescue.rescue_arguments, rescue.rescue),
)


def add_arguments(parser: Parser, messages: Messages) -> None:
    rows = [(each.name, messages(f"profile.action.{each.name}"), _fill(each, messages)) for each in ACTIONS]
    parser.add_actions(messages("profile.actions"), "action", messages("profile.action_word"), rows)


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    from voice_ime.personalize.profile import Source
    from voice_ime.store.base import Author
    from voice_ime.store.sql import SqlStore

    action = next(action for action in ACTIONS if action.name == arguments.action)
    store = SqlStore(profiles_file(arguments, settings))
    try:
        author = Author(Source.CARETAKER if arguments.caretaker else Source.PERSON, "command")
        return action.run(Desk(store, arguments.profile, author, messages, settings, arguments.json), arguments)
    finally:
        store.close()


def profiles_file(arguments: argparse.Namespace, settings: "Settings") -> Path:
    """Where the profiles of this person are."""
    from voice_ime.store.base import FILE

    folder: Path = arguments.data_folder
    return settings.store.file or folder / FILE


def _fill(action: Action, messages: Messages) -> Callable[[Parser], None]:
    def fill(parser: Parser) -> None:
        from voice_ime.cli import add_common
        from voice_ime.personalize.profile import DEFAULT

        action.add_arguments(parser, messages)
        name = messages("help.name_word")
        parser.add_argument("--profile", default=DEFAULT, metavar=name, help=messages("profile.help.profile"))
        parser.add_argument("--caretaker", action="store_true", help=messages("profile.help.caretaker"))
        parser.add_argument("--json", action="store_true", help=messages("profile.help.json"))
        add_common(parser, messages)

    return fill
