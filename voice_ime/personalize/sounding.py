"""How an entry sounds, and what an engine can do with it: so that nothing in a list is ignored without a word."""

import re
from collections.abc import Sequence
from enum import StrEnum

from voice_ime.engine.base import Capabilities, Hypothesis, Word
from voice_ime.personalize.formats.sounds import write_sound
from voice_ime.personalize.profile import Entry, Profile, Strength
from voice_ime.personalize.retrieve import Candidate, index_of

_HAN = re.compile("[㐀-鿿豈-﫿]")
_PIECE = re.compile(r"[㐀-鿿豈-﫿]|[^\s㐀-鿿豈-﫿]+")


class Ability(StrEnum):
    """What an engine can do with an entry."""

    CHECKED = "checked"
    """Each place where it could have been said is checked against the sound."""
    TOLD = "told"
    """The engine listens again, knowing that it could have been said."""
    TEXT = "text"
    """Only what was heard is compared with it."""
    OFFERED = "offered"
    """It is never written by itself: its strength says so."""
    UNHEARD = "unheard"
    """It is of a language that the engine does not hear."""


def ability(entry: Entry, capabilities: Capabilities) -> Ability:
    """What the engine of these capabilities can do with `entry`."""
    language = entry.language or ("zh" if _HAN.search(entry.written) else None)
    if language is not None and language not in capabilities.languages:
        return Ability.UNHEARD
    if entry.strength is Strength.NEVER:
        return Ability.OFFERED
    if capabilities.scores_text:
        return Ability.CHECKED
    return Ability.TOLD if capabilities.takes_phrases else Ability.TEXT


def readings(entry: Entry) -> tuple[str, ...]:
    """The ways in which it is expected to sound, fit to be read."""
    return tuple(write_sound(sound) for sound in entry.sounds) or (entry.written,)


def near(profile: Profile, text: str) -> Sequence[Candidate]:
    """The entries that could have been said where `text` was heard."""
    words = tuple(Word(piece) for piece in _PIECE.findall(text))
    try:
        return index_of(profile).candidates(Hypothesis(text, words, final=True), None)
    except NotImplementedError:
        return ()
