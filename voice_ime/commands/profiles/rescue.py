"""`voice-ime profile rescue`: a damaged file is put aside, so that one can begin anew with what is whole of it."""

import argparse
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.profiles.desk import Desk
from voice_ime.errors import StoreDamaged
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voice_ime.personalize.profile import Profile
    from voice_ime.store.base import Store


def rescue_arguments(parser: Parser, messages: Messages) -> None:
    """None of its own."""


def rescue(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.files import put_aside
    from voice_ime.personalize.profile import DEFAULT

    damaged = _damaged(desk.store)
    if damaged is None:
        desk.tell({"aside": None}, "profile.rescue.sound")
        return ExitCode.OK
    aside = put_aside(damaged, datetime.now())
    saved: list[tuple[Profile, Path]] = []
    with suppress(OSError):  # on a full disk, say: what was put aside is told all the same
        saved.extend(_saved(aside))
    row = {"aside": str(aside), "salvaged": [{"profile": each.name, "file": str(file)} for each, file in saved]}
    desk.tell(row, "profile.rescue.aside", path=aside)
    for each, file in saved:
        key = "profile.rescue.salvaged" if each.name == DEFAULT else "profile.rescue.salvaged_of"
        desk.say(key, profile=each.name, entries=len(each.entries), rules=len(each.rules), path=file)
    desk.say("profile.rescue.next", path=damaged)
    return ExitCode.OK


def _saved(aside: Path) -> "Iterator[tuple[Profile, Path]]":
    """What can still be read, each profile in a file of its own that can be imported."""
    from voice_ime.files import write_atomically
    from voice_ime.personalize.formats.own_json import write
    from voice_ime.store.salvage import salvaged

    for profile in salvaged(aside):
        if profile.entries or profile.rules or profile.lessons:
            file = aside.with_name(f"{aside.name}.{profile.name}.json")
            write_atomically(file, write(profile).encode())
            yield profile, file


def _damaged(store: "Store") -> Path | None:
    """The file, if anything in it cannot be read."""
    try:
        for each in store.profiles():
            store.get(each.name)
            store.log(each.name, each.revision or 1)
    except StoreDamaged as error:
        return Path(str(error.values["path"]))
    return None
