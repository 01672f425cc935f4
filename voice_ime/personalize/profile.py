"""One person's words, rules and preferences, as they are at one moment. Pure data: `store` keeps it, others use it."""

import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

DEFAULT = "default"
"""The profile that is meant where none is named."""
LONGEST = 256
"""Characters of one written form."""
LONGEST_LESSON = 120
"""Characters of what was heard, and of what was meant, in a lesson."""
MOST_ENTRIES = 20_000
MOST_RULES = 5_000
MOST_LESSONS = 5_000
MOST_SOUNDS = 20
"""Pronunciations of one entry."""

_UNSEEN = dict.fromkeys([0xAD, 0x61C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF])
"""Optional hyphens, blanks of no width and marks of direction, which address books and web pages put into names."""


def one_line(value: Any) -> Any:
    """A text as it is kept: composed (NFC), with single blanks, without marks that nobody sees or hears. Control
    characters are refused: they would be typed."""
    if not isinstance(value, str):
        return value
    if not (value.isascii() or unicodedata.is_normalized("NFC", value)):
        value = unicodedata.normalize("NFC", value)
    if not value.isprintable():
        value = value.translate(_UNSEEN)
    value = " ".join(value.split())
    if not value.isprintable() and any(unicodedata.category(character) == "Cc" for character in value):
        raise PydanticCustomError("control_character", "control characters cannot be written")
    return value


def typed(value: str) -> str:
    """What a rule writes: exactly, but no control characters other than a new line and a tabulator."""
    if any(unicodedata.category(character) == "Cc" for character in value.replace("\n", "").replace("\t", "")):
        raise PydanticCustomError("control_character", "control characters cannot be written")
    return value


Text = Annotated[str, Field(min_length=1, max_length=LONGEST), BeforeValidator(one_line)]
Language = Literal["en", "zh"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Strength(StrEnum):
    """How readily an entry is written where something like it was heard."""

    STRONG = "strong"
    NORMAL = "normal"
    WEAK = "weak"
    NEVER = "never"
    """Never written by itself: only offered."""


class SoundKind(StrEnum):
    WORDS = "words"
    """Written as other words that sound like it: "mo hah med"."""
    LETTERS = "letters"
    """Spelled: "C L I"."""
    PINYIN = "pinyin"
    """Syllables with tone numbers, "zhang1 wei3"; no number: any tone."""
    ARPABET = "arpabet"
    """Phones of CMUdict, "K AH V AE L S K IY"; stress digits may stand and are left out."""


class Sound(_Data):
    """One way in which an entry sounds, given by a person or learned."""

    kind: SoundKind
    text: Text


class Source(StrEnum):
    """Where an entry, a sound or a rule comes from."""

    PERSON = "person"
    CARETAKER = "caretaker"
    IMPORT = "import"
    LEARNED = "learned"


class State(StrEnum):
    """How far something learned has come. What people enter is active at once."""

    OBSERVED = "observed"
    SUGGESTED = "suggested"
    ACTIVE = "active"
    DEMOTED = "demoted"
    QUARANTINED = "quarantined"


class Entry(_Data):
    """A name or term, as it is to be written."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    written: Text
    sounds: Annotated[tuple[Sound, ...], Field(max_length=MOST_SOUNDS)] = ()
    """Besides those that follow from the written form."""
    language: Language | None = None
    """None: both."""
    strength: Strength = Strength.NORMAL
    application: Annotated[str, Field(max_length=200), BeforeValidator(one_line)] = ""
    """Only there; empty: everywhere."""
    note: Annotated[str, Field(max_length=2000)] = ""
    tags: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    source: Source = Source.PERSON
    used: datetime | None = None
    """When it was last written or chosen; for what is equally near."""


Kind = Literal["entry", "rule", "lesson", "preferences"]
"""What a profile consists of."""


class Rule(_Data):
    """When I say `heard`, write `write`. Whole words, whatever the capitals; before anything else."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    heard: Text
    write: Annotated[str, Field(max_length=LONGEST), AfterValidator(typed)]
    """Exactly; empty: leave it out."""
    language: Language | None = None
    match_case: bool = False
    application: Annotated[str, Field(max_length=200), BeforeValidator(one_line)] = ""
    source: Source = Source.PERSON
    state: State = State.ACTIVE


def is_instead(new: Rule, old: Rule) -> bool:
    """Whether `new` takes the place of `old`: the other one would never apply."""
    if (new.language, new.application) != (old.language, old.application):
        return False
    if new.match_case or old.match_case:
        return new.heard == old.heard
    return new.heard.casefold() == old.heard.casefold()


class Lesson(_Data):
    """What was learned from corrections: where `heard` stands, `written` was meant. It never changes text by itself:
    once active, `heard` is one more way in which the entry `written` sounds."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    heard: Annotated[str, Field(min_length=1, max_length=LONGEST_LESSON), BeforeValidator(one_line)]
    written: Annotated[str, Field(min_length=1, max_length=LONGEST_LESSON), BeforeValidator(one_line)]
    language: Language
    state: State = State.OBSERVED
    times: Annotated[int, Field(ge=0)] = 1
    """Corrections that said so, in different utterances, since it was last taken back."""
    against: Annotated[int, Field(ge=0)] = 0
    """How often it was taken back."""
    last: str = ""
    """Name of the session and utterance of the latest of them: one utterance counts once."""
    pinned: bool = False
    """It was said outright, so only saying so takes it back."""
    entry: str = ""
    """Id of the entry that it taught something to; empty: none yet."""
    new_entry: bool = False
    """Whether that entry was made for it."""


class Preferences(_Data):
    """How this person wants to be heard and written."""

    learn: bool = True
    """Learn from corrections."""
    fuzzy: tuple[str, ...] = ()
    """Mandarin sounds that this person does not tell apart, as pairs: "n/l", "z/zh", "in/ing", "f/h"."""
    latin_spaces: bool = True
    """A blank between Chinese characters and Latin words."""
    script: Literal["simplified", "traditional"] = "simplified"
    endpoint_delay_s: Annotated[float, Field(ge=0.2, le=3)] | None = None
    """Silence that ends an utterance; None: the server's setting, adapted to how this person pauses."""
    language: Language | None = None
    """Language of dictation where the client asks for none; None: whichever is spoken."""
    engine: Annotated[str, Field(max_length=64), BeforeValidator(one_line)] = ""
    """Name of the engine, as the server's settings have it; empty, or not loaded there: the usual one."""
    final_engine: Annotated[str, Field(max_length=64), BeforeValidator(one_line)] = ""
    """Likewise, of a second engine that hears the finals."""


class Profile(_Data):
    """Everything of one person at one moment."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    revision: int = 0
    """Number of the last change; another number: build again what was derived from this."""
    entries: tuple[Entry, ...] = ()
    rules: tuple[Rule, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    preferences: Preferences = Preferences()
