"""`voice-ime profile import, export`."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.profiles.desk import Desk
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.personalize.formats.base import Refused
    from voice_ime.personalize.formats.merge import Plan
    from voice_ime.personalize.formats.table import Format

READABLE = ("csv", "txt", "json", "vcard")
WRITABLE = (*READABLE, "rules-csv")


def import_arguments(parser: Parser, messages: Messages) -> None:
    parser.add_argument("file", type=Path, metavar=messages("help.file_word"), help=messages("profile.help.import"))
    parser.add_argument("--format", choices=READABLE, help=messages("profile.help.format"))
    parser.add_argument("--preview", action="store_true", help=messages("profile.help.preview"))
    parser.add_argument("--keep-good", action="store_true", help=messages("profile.help.keep_good"))


def import_file(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.personalize.formats.merge import Plan, planned
    from voice_ime.personalize.formats.table import format_named, read
    from voice_ime.store.base import retried

    form = format_named(arguments.format or arguments.file.name)
    reading = read(_content(arguments.file), form)

    def work() -> tuple[int, Plan, int]:
        profile = desk.profile()
        plan = planned(profile, reading, keep_good=arguments.keep_good)
        wanted = plan.changes and not arguments.preview
        return profile.revision, plan, _carried_out(desk, plan, profile.revision) if wanted else profile.revision

    before, plan, revision = retried(work)
    _report(desk, plan, form, preview=arguments.preview, changed=revision != before, revision=revision)
    return ExitCode.SOME_FAILED if plan.refused else ExitCode.OK


def export_arguments(parser: Parser, messages: Messages) -> None:
    file = messages("help.file_word")
    parser.add_argument("file", type=Path, nargs="?", metavar=file, help=messages("profile.help.export"))
    parser.add_argument("--format", choices=WRITABLE, help=messages("profile.help.export_format"))


def export_file(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.files import write_atomically
    from voice_ime.personalize.formats.table import format_named

    form = format_named(arguments.format or (arguments.file.name if arguments.file else "json"))
    text = form.write(desk.profile())
    if arguments.file is None:
        sys.stdout.write(text)
        return ExitCode.OK
    write_atomically(arguments.file, text.encode())
    row = {"file": str(arguments.file), "format": form.name}
    desk.tell(row, "profile.exported", file=arguments.file)
    return ExitCode.OK


def _content(path: Path) -> bytes:
    """No more than what is refused anyway. StoreError where it cannot be read."""
    from voice_ime.errors import FileUnreadable
    from voice_ime.personalize.formats.base import MOST_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise FileUnreadable(path=str(path), detail=error.strerror or type(error).__name__) from None


def _carried_out(desk: Desk, plan: "Plan", expected: int) -> int:
    from dataclasses import replace

    from voice_ime.personalize.profile import Source

    imported = replace(desk, author=replace(desk.author, source=Source.IMPORT))
    return imported.change(plan.changes, expected=expected)


def _report(desk: Desk, plan: "Plan", form: "Format", *, preview: bool, changed: bool, revision: int) -> None:
    if desk.as_json:
        from voice_ime.personalize.formats.merge import report

        desk.tell({"revision": revision, "changed": changed, "preview": preview, **report(plan)}, "")
        return
    desk.say(
        "profile.import.counts",
        added=plan.count("added"),
        merged=plan.count("merged"),
        unchanged=plan.count("unchanged"),
        refused=len(plan.refused),
    )
    for refused in plan.refused:
        desk.say("profile.import.refused", place=_place(desk, refused, form), reason=_reason(desk, refused))
    if plan.ignored:
        between = desk.messages("profile.entry.between")
        desk.say("profile.import.ignored", columns=between.join(plan.ignored))
    if plan.preferences:
        desk.say("profile.import.preferences")
    desk.say(_outcome(plan, preview=preview, changed=changed), revision=revision)


def _outcome(plan: "Plan", *, preview: bool, changed: bool) -> str:
    if changed:
        return "profile.import.done"
    if preview and plan.changes:
        return "profile.import.preview"
    if not plan.refused:
        return "profile.import.nothing_new"
    return "profile.import.nothing_kept" if plan.outcomes else "profile.import.nothing_good"


def _reason(desk: Desk, refused: "Refused") -> str:
    from voice_ime.personalize.formats.reasons import reason

    return reason(desk.messages, refused.reason, refused.values)


def _place(desk: Desk, refused: "Refused", form: "Format") -> str:
    if not refused.number:
        return desk.messages("profile.import.of_preferences")
    return desk.messages("profile.import.item" if form.name == "json" else "profile.import.line", number=refused.number)
