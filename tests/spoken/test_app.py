"""What is heard of a client that cannot start, by somebody who does not see the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs_package

needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

from voice_ime_desktop.announce.recording import RecordingAnnouncer  # noqa: E402
from voice_ime_desktop.app import App, Place  # noqa: E402
from voice_ime_desktop.journal import FILE  # noqa: E402

from voice_ime.messages import Messages  # noqa: E402
from voice_ime.settings import DesktopSettings  # noqa: E402

SAY = Messages("en")
DAMAGED = b"This was never a journal. " * 1000


class Broken(dict[str, str]):
    """An environment at which our own program breaks."""

    def get(self, key: str, default: Any = None) -> Any:
        raise ValueError("nobody has thought of this")


async def heard_of(folder: Path, environment: Mapping[str, str]) -> list[str]:
    announcer = RecordingAnnouncer()
    app = App(DesktopSettings(), SAY, Place(environment, folder, folder / "control.sock"), announcer, ())
    with pytest.raises(ExceptionGroup):
        await app.run()
    return announcer.spoken


async def test_why_it_cannot_start_is_said(tmp_path: Path) -> None:
    what = "This desktop does not offer what is needed: display."
    assert await heard_of(tmp_path, {}) == [
        "Starting.",
        what,
        "Type voice-ime doctor to hear what to do.",
        "Dictation ended.",
    ]


async def test_a_fault_of_ours_is_said_too(tmp_path: Path) -> None:
    assert (await heard_of(tmp_path, Broken()))[1] == "Something went wrong inside voice-ime."


async def test_a_damaged_journal_is_said_to_be_put_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(DAMAGED)
    spoken = await heard_of(tmp_path, {})
    assert spoken[1].startswith("The journal was damaged. It was put aside, and a new one begins.")
    assert is_not_touched(Path(spoken[1].rsplit(" ", 1)[1]))


def is_not_touched(aside: Path) -> bool:
    return aside.read_bytes() == DAMAGED
