"""`voice-ime profile log, undo`."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.profiles.desk import Desk
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.store.base import Difference, Revision

USUAL_LIMIT = 20
MOST_TOLD = 3
"""Changes of one revision that are told one by one."""
SOURCES = ("person", "caretaker", "import", "learned")


def log_arguments(parser: Parser, messages: Messages) -> None:
    number = messages("help.number_word")
    parser.add_argument("--limit", type=int, default=USUAL_LIMIT, metavar=number, help=messages("profile.help.limit"))


def log(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.errors import ProfileNotFound
    from voice_ime.personalize.profile import DEFAULT

    try:
        revisions = desk.store.log(desk.name, max(1, arguments.limit), most=None if desk.as_json else MOST_TOLD)
    except ProfileNotFound:
        if desk.name != DEFAULT:
            raise
        revisions = []
    for revision in revisions:
        desk.tell(_row(revision), "profile.line", line="" if desk.as_json else _sentence(desk, revision))
    if not revisions:
        desk.say("profile.log.empty")
    return ExitCode.OK


def undo_arguments(parser: Parser, messages: Messages) -> None:
    number = messages("help.number_word")
    parser.add_argument("number", type=int, nargs="?", metavar=number, help=messages("profile.help.undo_number"))
    parser.add_argument("--since", metavar=messages("profile.date_word"), help=messages("profile.help.since"))
    parser.add_argument("--only", choices=SOURCES, help=messages("profile.help.only"))


def undo(desk: Desk, arguments: argparse.Namespace) -> int:
    if (arguments.number is None) == (arguments.since is None) or (arguments.only and arguments.since is None):
        desk.tell({"error": "wrong_usage"}, "profile.undo_what")
        return ExitCode.WRONG_USAGE
    if arguments.number is None:
        return _undo_since(desk, _moment(arguments.since), arguments.only)
    before = desk.profile().revision
    revision = desk.store.undo(desk.name, arguments.number, desk.author)
    changed = revision != before
    row = {"revision": revision, "undone": [arguments.number] if changed else []}
    desk.tell(row, "profile.undone" if changed else "profile.undone_before", number=arguments.number, revision=revision)
    return ExitCode.OK


def _undo_since(desk: Desk, since: datetime, only: str | None) -> int:
    from voice_ime.personalize.profile import Source

    undone = desk.store.undo_since(desk.name, since, desk.author, only=Source(only) if only else None)
    row = {
        "revision": undone.revision,
        "undone": list(undone.numbers),
        "restored": undone.restored,
        "kept": undone.kept,
    }
    desk.tell(row, "profile.undone_since", count=undone.restored, revision=undone.revision)
    if undone.kept:
        desk.say("profile.undone_kept", count=undone.kept)
    return ExitCode.OK


def _moment(text: str) -> datetime:
    """A date or a date and time, of this machine's time zone if none is given. WrongDate."""
    from voice_ime.errors import WrongDate

    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise WrongDate() from None


def _row(revision: "Revision") -> dict[str, object]:
    from voice_ime.store.base import revision_row

    return revision_row(revision)


def _sentence(desk: Desk, revision: "Revision") -> str:
    say = desk.messages
    when = f"{revision.at.astimezone():%Y-%m-%d %H:%M}"
    who = say(f"profile.source.{revision.author.source.value}")
    if revision.count > MOST_TOLD:
        what = say("profile.log.many", count=revision.count)
    else:
        what = say("profile.entry.between").join(_what(desk, change) for change in revision.changes)
    if len(revision.undoes) > MOST_TOLD:
        first, last = min(revision.undoes), max(revision.undoes)
        what = say("profile.log.undoes_many", count=len(revision.undoes), first=first, last=last, what=what)
    elif revision.undoes:
        numbers = say("profile.entry.between").join(map(str, revision.undoes))
        what = say("profile.log.undoes", numbers=numbers, what=what)
    return say("profile.log.line", number=revision.number, when=when, who=who, what=what)


def _what(desk: Desk, change: "Difference") -> str:
    if change.kind == "preferences":
        return desk.messages("profile.log.preferences")
    did = "added" if change.before is None else "removed" if change.after is None else "changed"
    value = change.after or change.before
    text = getattr(value, "written", None) or getattr(value, "heard", "")
    return desk.messages(f"profile.log.{change.kind}_{did}", text=text)
