"""The voice of commands that print, for people who do not read the terminal in which they run."""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.models.aloud import Voice


def voice_of(
    environment: Mapping[str, str], messages: Messages, *, even_if_read_out: bool = False
) -> "AbstractContextManager[Voice]":
    """Speaks through this desktop's speech service, where there is one.

    What a screen reader reads from our terminal just then is not spoken a second time, but for `even_if_read_out`.
    """
    from voice_ime_desktop.announce.apart import ApartAnnouncer
    from voice_ime_desktop.announce.ssip import SsipAnnouncer, service_of
    from voice_ime_desktop.read_out import read_out_of

    service = service_of(environment)
    if service is None:
        return no_voice()
    is_read = sys.stdout.isatty() and not even_if_read_out
    read_out = read_out_of(environment) if is_read else None
    return ApartAnnouncer(SsipAnnouncer(service, environment), messages.language, read_out)


def no_voice() -> "AbstractContextManager[Voice]":
    from voice_ime.models.aloud import NoVoice

    return nullcontext(NoVoice())


def client_runs(control_socket: Path) -> bool:
    """Whether this person's desktop client is running."""
    from voice_ime_desktop.hotkeys.control import send

    from voice_ime.errors import DesktopNotRunning

    with suppress(DesktopNotRunning):
        send(control_socket, "")
        return True
    return False
