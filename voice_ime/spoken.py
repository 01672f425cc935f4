"""Facts as they are spoken."""

from voice_ime.errors import VoiceImeError
from voice_ime.messages import Messages


def what_to_do(error: VoiceImeError, messages: Messages) -> tuple[str, str]:
    """(what is wrong, what to do): the catalogue's remedy, or the one for the part that is `missing`."""
    message, remedy = messages.error(error)
    missing = error.values.get("missing")
    return message, remedy if missing is None else messages(f"dictate.missing_{missing}")
