"""What the engine in use can do with each entry: so that nothing in a list is ignored without a word."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from voice_ime.engine.base import Engine, Options
from voice_ime.engine.words import has_han
from voice_ime.personalize.decide import Decider
from voice_ime.personalize.personal import Writings
from voice_ime.personalize.profile import Entry, Preferences, SoundKind, Strength

_SYLLABLE = re.compile(r"[^\W\d]+[0-5]?")


class Ability(StrEnum):
    """What an engine can do with an entry."""

    CHECKED = "checked"
    """Each place where it could have been said is checked against the sound."""
    TOLD = "told"
    """The engine listens again, knowing that it could have been said."""
    TEXT = "text"
    """Only what was heard is compared with it."""
    UNWRITTEN = "unwritten"
    """Likewise, though the engine checks or is told others: the model has no tokens for this one."""
    OFFERED = "offered"
    """It is never written by itself: its strength says so."""
    UNHEARD = "unheard"
    """It is of a language that the engine does not hear."""
    SOUNDLESS = "soundless"
    """It has no sound in its language: Chinese characters that are to count in English only, say, without a hint."""
    SHORT = "short"
    """It is a single Chinese syllable: too many characters sound so to look for it."""


@dataclass(frozen=True)
class Able:
    ability: Ability
    engine: str
    """Name of the engine that hears where the entry could be said; of the usual one where none does."""


class Abilities:
    """What the loaded engines can do with the entries of anybody. Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writings = Writings()

    def of(self, entry: Entry, preferences: Preferences) -> Able:
        """`preferences`: those of the profile that has it, which may ask for an engine."""
        languages = languages_of(entry)
        engine = self._hearing(languages, preferences)
        if engine is None:
            return Able(Ability.UNHEARD if languages else Ability.SOUNDLESS, self._engine.capabilities.engine)
        return Able(self._ability(entry, engine, preferences), engine.capabilities.engine)

    def _ability(self, entry: Entry, engine: Engine, preferences: Preferences) -> Ability:
        if _is_one_syllable(entry):
            return Ability.SHORT
        if entry.strength is Strength.NEVER:
            return Ability.OFFERED
        can = engine.capabilities
        if not (can.scores_text or can.takes_phrases):
            return Ability.TEXT
        if not any(map(engine.writes, self._forms(entry.written, preferences))):
            return Ability.UNWRITTEN
        return Ability.CHECKED if can.scores_text else Ability.TOLD

    def _hearing(self, languages: Iterable[str], preferences: Preferences) -> Engine | None:
        """Who hears utterances in one of these languages."""
        known = self._engine.capabilities.languages
        for language in languages:
            spoken = next((each for each in (preferences.language, language) if each in known), None)
            wishes = Options(spoken, engine=preferences.engine, final_engine=preferences.final_engine)
            engine = self._engine.chosen(wishes)
            if _hears(engine.capabilities.languages, language):
                return engine
        return None

    def _forms(self, written: str, preferences: Preferences) -> Iterator[str]:
        """As the engine is asked for it: also in the script that the engine may write and the person does not."""
        yield from Decider.spellings(written)
        if has_han(written) and (writing := self._writings.of(preferences.script)):
            yield writing.back(written)


def languages_of(entry: Entry) -> tuple[str, ...]:
    """Where it is looked for: "zh" among Chinese, "en" among Latin words, whatever their language. Perhaps nowhere."""
    hints = entry.sounds
    chinese = (has_han(entry.written) and entry.language != "en") or any(
        hint.kind is SoundKind.PINYIN or has_han(hint.text) for hint in hints
    )
    latin = entry.language != "zh" and (
        _has_latin(entry.written) or any(hint.kind is not SoundKind.PINYIN and _has_latin(hint.text) for hint in hints)
    )
    among_chinese = entry.language == "zh" and _has_latin(entry.written)
    return ("zh",) * (chinese or among_chinese) + ("en",) * latin


def _is_one_syllable(entry: Entry) -> bool:
    said = [hint.text for hint in entry.sounds if hint.kind is not SoundKind.PINYIN]
    short = all(len(text) == 1 and has_han(text) for text in (entry.written, *said))
    return short and all(_SYLLABLE.fullmatch(hint.text) for hint in entry.sounds if hint.kind is SoundKind.PINYIN)


def _has_latin(text: str) -> bool:
    return any(character.isalnum() and not has_han(character) for character in text)


def _hears(languages: tuple[str, ...], language: str) -> bool:
    return language in languages if language == "zh" else any(each != "zh" for each in languages)
