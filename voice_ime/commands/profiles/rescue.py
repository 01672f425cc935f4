"""`voice-ime profile rescue`: a damaged file is put aside, so that one can begin anew."""

import argparse
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.profiles.desk import Desk
from voice_ime.errors import StoreDamaged
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.store.base import Store


def rescue_arguments(parser: Parser, messages: Messages) -> None:
    """None of its own."""


def rescue(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.files import put_aside

    damaged = _damaged(desk.store)
    if damaged is None:
        desk.tell({"aside": None}, "profile.rescue.sound")
        return ExitCode.OK
    aside = put_aside(damaged, datetime.now())
    desk.tell({"aside": str(aside)}, "profile.rescue.aside", path=aside)
    desk.say("profile.rescue.next", path=damaged)
    return ExitCode.OK


def _damaged(store: "Store") -> Path | None:
    """The file, if anything in it cannot be read."""
    try:
        for each in store.profiles():
            store.get(each.name)
            store.log(each.name, each.revision or 1)
    except StoreDamaged as error:
        return Path(str(error.values["path"]))
    return None
