"""Facts as they are spoken."""

from collections.abc import Sequence

from voice_ime.errors import VoiceImeError
from voice_ime.messages import Messages

NAMED = ("en", "zh", "ja", "ko", "yue")
"""Languages that have a name in the catalogues; others are told by their codes."""
MOST_NAMED = 6
"""More languages than this are counted, not listed."""


def what_to_do(error: VoiceImeError, messages: Messages) -> tuple[str, str]:
    """(what is wrong, what to do): the catalogue's remedy, or the one for the part that is `missing`."""
    message, remedy = messages.error(error)
    missing = error.values.get("missing")
    return message, remedy if missing is None else messages(f"dictate.missing_{missing}")


def languages(codes: Sequence[str], messages: Messages) -> str:
    """The languages of an engine, given as ISO 639-1 codes."""
    if len(codes) > MOST_NAMED:
        return messages("language.many", count=len(codes))
    return messages("language.between").join(messages(f"language.{code}") if code in NAMED else code for code in codes)
