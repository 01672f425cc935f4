"""Telling written words apart by ear: what else sounds so, and which character or spelling stands there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from voice_ime.engine.base import SENTENCE_MARKS
from voice_ime.engine.han import Writing
from voice_ime.errors import EngineUnavailable
from voice_ime.messages import Messages
from voice_ime.personalize.chinese_words import HAN, ChineseLexicon
from voice_ime.personalize.mandarin_index import MandarinIndex
from voice_ime.personalize.phonetics.costs import FILLER, distances, hand_made, packed
from voice_ime.personalize.phonetics.costs import Sounds as PackedSounds
from voice_ime.personalize.phonetics.english import English, sounds_of
from voice_ime.personalize.phonetics.mandarin import Ear, Sounds, Syllable, in_context, pinyin_of, syllable
from voice_ime.personalize.profile import Entry, Language, Profile

MOST_RIVALS = 8
COMMON_SURNAMES = 40
"""So many surnames are explained as such even where they stand alone."""
LONGEST_NAME = 4
NEAR = 0.16
"""For each phone: entries up to this distance from an English word are its rivals."""
RAREST_RIVAL = 3.0
"""Zipf value of English words below which nobody means them."""


class Way(StrEnum):
    """How something is explained. The sentence is `explain.<way>` in the catalogue."""

    WORD = "word"
    """A Chinese character by a word that has it: "文章"."""
    PHRASE = "phrase"
    """A surname or another character of names by its parts or a phrase: "弓长张", "赵钱孙李的赵"."""
    SOUND = "sound"
    """A Chinese character by its pinyin, where no word is known: "zhang1"."""
    RARE = "rare"
    """A Chinese character that not even its sound is known of."""
    EXAMPLE = "example"
    """An English word by a few words around it: "their house"."""
    SPELLING = "spelling"
    """Letters one by one: "K, O, W, A, L, S, K, I". Without the commas a voice may say an A as the article."""


@dataclass(frozen=True)
class Explanation:
    """What to say about a piece of text."""

    text: str
    way: Way
    by: str

    def sentence(self, messages: Messages) -> str:
        """As it is said: "章，文章的章"."""
        return messages(f"explain.{self.way}", text=self.text, by=self.by)


@dataclass(frozen=True)
class Rival:
    """Another way to write what sounds the same."""

    text: str
    entry: str = ""
    """Id of the entry of this person's list; empty: a word of the language."""


class Explainer:
    """One profile's words beside those of the languages. Never changed; safe to use from several threads."""

    def __init__(self, profile: Profile, mandarin: MandarinIndex, lexicon: ChineseLexicon, english: English) -> None:
        """`mandarin`: of the same profile."""
        self._profile = profile
        self._ear = Ear(profile.preferences.fuzzy)
        self._mandarin = mandarin
        self._lexicon = lexicon
        self._english = english
        self._costs = hand_made()

    def explain(self, text: str, language: Language) -> list[Explanation]:
        """Each Chinese character of `text` in turn, and Latin words by their spelling; nothing for marks."""
        if language == "en":
            return [each for word in text.split() for each in self._explained_word(word)]
        plain = self._simplified(text)
        told = list(self._explained(plain))
        return told if plain == text else list(self._in_traditional(told, plain, text))

    def entry(self, text: str) -> str:
        """The id of the entry that is written so; empty: none."""
        return self._written.get(text.strip(SENTENCE_MARKS), "")

    def rivals(self, word: str, language: Language) -> list[Rival]:
        """What else sounds like `word`: entries of the list first, then the commonest words."""
        if language == "zh" and HAN.search(word):
            plain = self._simplified(word)
            listed, others = self._mandarin.alike(word), self._alike_in_chinese(plain)
            if plain != word:
                others = [each for each in map(self._traditional, others) if each != word]
        else:
            listed, others = self._alike_in_list(word), self._alike_in_english(word)
        entries = {entry.written: Rival(entry.written, entry.id) for entry in listed}
        return [*entries.values(), *(Rival(each) for each in others if each not in entries)][:MOST_RIVALS]

    def _explained(self, text: str) -> Iterator[Explanation]:
        surname = self._surname(text)
        if surname:
            yield Explanation(surname, Way.PHRASE, self._lexicon.surnames[surname][0])
        rest = text[len(surname) :]
        read = dict(zip(_places(text), in_context("".join(HAN.findall(text))), strict=True))
        latin = ""
        for at, character in enumerate(rest, len(surname)):
            if at in read:
                yield from _spelled(latin)
                latin = ""
                yield self._character(character, read[at])
            else:
                latin += character
        yield from _spelled(latin)

    def _in_traditional(self, told: Iterable[Explanation], plain: str, text: str) -> Iterator[Explanation]:
        """What was `told` of `plain`, for the same `text` in Traditional characters."""
        at = 0
        for each in told:
            at = plain.index(each.text, at)
            written = text[at : at + len(each.text)]
            by = self._traditional(each.by)
            if each.way in (Way.WORD, Way.PHRASE) and written[0] not in by and written != each.text:
                yield _by_sound(written)
            else:
                yield Explanation(written, each.way, by)
            at += len(each.text)

    def _simplified(self, text: str) -> str:
        """As the word lists have it; `text` itself where it is so, or where each character has no place of its own."""
        if all(_is_simplified(each) for each in HAN.findall(text)) or not self._scripts:
            return text
        plain = self._scripts[0].text(text)
        return plain if len(plain) == len(text) else text

    def _traditional(self, text: str) -> str:
        return self._scripts[1].text(text) if self._scripts else text

    @cached_property
    def _scripts(self) -> tuple[Writing, Writing] | None:
        """Into Simplified and into Traditional; None without OpenCC."""
        try:
            return Writing("simplified"), Writing("traditional")
        except EngineUnavailable:
            return None

    def _surname(self, text: str) -> str:
        """The surname that `text` begins with where it looks like a name; else empty."""
        names = self._lexicon.surnames
        first = next((text[:length] for length in (2, 1) if text[:length] in names), "")
        if len(text) == len(first) == 1:
            return first if list(names).index(first) < COMMON_SURNAMES else ""
        is_name = len(text) <= LONGEST_NAME and all(HAN.fullmatch(each) for each in text)
        return first if is_name and (text in self._written or text not in self._lexicon.words) else ""

    def _character(self, character: str, read: Syllable) -> Explanation:
        if phrase := self._lexicon.given.get(character):
            return Explanation(character, Way.PHRASE, phrase)
        known = self._lexicon.explanations.get(character, {})
        by = next((word for pinyin, word in known.items() if syllable(pinyin) == read), "")
        if word := by or next(iter(known.values()), ""):
            return Explanation(character, Way.WORD, word)
        return _by_sound(character)

    def _alike_in_chinese(self, word: str) -> list[str]:
        wanted = tuple(map(self._ear.fold, in_context("".join(HAN.findall(word)))))
        found = [each for each in self._written_so("", wanted) if each != word and self._sound(each) == wanted]
        return sorted(found, key=self._lexicon.words.log_probability, reverse=True)

    def _written_so(self, begun: str, wanted: Sounds) -> Iterator[str]:
        """The words that begin with `begun` and go on with characters that can sound like `wanted`."""
        if not wanted:
            yield from (begun,) if begun in self._lexicon.words else ()
            return
        for character in self._characters.get(wanted[0], ()):
            if self._lexicon.words.begins(begun + character):
                yield from self._written_so(begun + character, wanted[1:])

    def _sound(self, word: str) -> Sounds:
        return tuple(map(self._ear.fold, in_context(word)))

    @cached_property
    def _characters(self) -> Mapping[Syllable, Sequence[str]]:
        """Those that are in use, by how they can sound to this person."""
        found: defaultdict[Syllable, list[str]] = defaultdict(list)
        for character, known in self._lexicon.explanations.items():
            for sound in {self._ear.fold(syllable(pinyin)) for pinyin in known}:
                found[sound].append(character)
        return found

    @cached_property
    def _written(self) -> Mapping[str, str]:
        """The id of each entry by its written form."""
        return {entry.written: entry.id for entry in self._profile.entries}

    def _explained_word(self, word: str) -> Iterator[Explanation]:
        bare = word.strip(SENTENCE_MARKS)
        if example := EXAMPLES.get(bare.casefold()):
            yield Explanation(bare, Way.EXAMPLE, example)
        elif any(character.isalnum() for character in bare):
            yield from self._explained(bare) if HAN.search(bare) else _spelled(bare)

    def _alike_in_list(self, word: str) -> list[Entry]:
        """The nearest first."""
        nearest: dict[str, tuple[float, Entry]] = {}
        for sound in self._english.sounds(word):
            for entry, distance in self._near(sound):
                known = nearest.get(entry.id, (distance, entry))
                nearest[entry.id] = min(known, (distance, entry), key=lambda each: each[0])
        found = sorted(nearest.values(), key=lambda each: each[0])
        return [entry for _, entry in found if entry.written.casefold() != word.casefold()]

    def _near(self, sound: str) -> Iterator[tuple[Entry, float]]:
        sounds, entries = self._list
        longest = np.maximum(np.count_nonzero(sounds != FILLER, axis=1), len(sound))
        apart = distances(np.repeat(packed([sound]), len(sounds), axis=0), sounds, self._costs) / longest
        for place in np.flatnonzero(apart <= NEAR):
            yield entries[place], float(apart[place])

    @cached_property
    def _list(self) -> tuple[PackedSounds, list[Entry]]:
        """The sounds of the list, and whose each is."""
        owned = [(sound, entry) for entry in self._profile.entries for sound in sounds_of(entry, self._english)]
        return packed([sound for sound, _ in owned]), [entry for _, entry in owned]

    def _alike_in_english(self, word: str) -> list[str]:
        found = [each for each in self._english.homophones(word) if self._english.zipf(each) >= RAREST_RIVAL]
        return sorted(found, key=self._english.zipf, reverse=True)


def _by_sound(character: str) -> Explanation:
    read = pinyin_of(character)
    return Explanation(character, Way.SOUND if read else Way.RARE, read)


def _is_simplified(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _places(text: str) -> list[int]:
    """Of the Chinese characters."""
    return [at for at, character in enumerate(text) if HAN.fullmatch(character)]


def _spelled(text: str) -> Iterator[Explanation]:
    for word in text.split():
        bare = word.strip(SENTENCE_MARKS)
        letters = ", ".join(_said(character) for character in bare)
        if any(character.isalnum() for character in bare):
            yield Explanation(bare, Way.SPELLING, letters)


def _said(character: str) -> str:
    """A letter as it is spelled: large, since a reading voice may say a small "a" as a word."""
    return character.upper() if len(character.upper()) == 1 else character


EXAMPLES: Mapping[str, str] = {
    "there": "over there", "their": "their house", "they're": "they are", "to": "go to bed", "too": "me too",
    "two": "number two", "your": "your name", "you're": "you are", "its": "its colour", "it's": "it is",
    "hear": "hear a sound", "here": "come here", "know": "I know", "no": "yes or no", "knew": "I knew it",
    "new": "brand new", "write": "write a letter", "right": "left or right", "wear": "wear a coat",
    "where": "where is it", "weather": "sunny weather", "whether": "whether or not", "week": "seven days a week",
    "weak": "weak and tired", "buy": "buy and sell", "by": "by the river", "bye": "bye for now", "for": "for you",
    "four": "number four", "one": "number one", "won": "won a prize", "eight": "number eight",
    "ate": "ate an apple", "sea": "the deep sea", "see": "see a picture", "son": "son and daughter",
    "sun": "the sun shines", "meet": "meet a friend", "meat": "meat and fish", "break": "break a glass",
    "brake": "brake of a car", "peace": "war and peace", "piece": "a piece of cake",
    "principal": "the school principal", "principle": "a matter of principle", "mail": "send mail",
    "male": "male or female", "sale": "for sale", "sail": "sail a boat", "hole": "a deep hole",
    "whole": "the whole day", "allowed": "not allowed", "aloud": "read aloud", "passed": "the day passed",
    "past": "in the past", "wait": "wait for me", "weight": "weight in kilos", "would": "would you",
    "wood": "made of wood", "hour": "half an hour", "our": "our home", "flour": "flour and water",
    "flower": "a red flower", "road": "a long road", "rode": "rode a horse", "blue": "the colour blue",
    "blew": "the wind blew", "red": "the colour red", "read": "read a book", "plane": "a plane in the air",
    "plain": "plain and simple", "pair": "a pair of shoes", "pear": "a ripe pear", "whose": "whose is it",
    "who's": "who is", "then": "now and then", "than": "more than", "affect": "affect a result",
    "effect": "cause and effect", "cell": "a cell phone", "sell": "buy and sell", "cent": "not a cent",
    "sent": "sent a letter", "scent": "scent of roses", "fair": "fair play", "fare": "bus fare",
    "great": "a great day", "grate": "grate cheese", "heal": "heal a wound", "heel": "heel of a shoe",
    "made": "made by hand", "maid": "a maid cleans", "stationary": "standing still", "stationery": "paper and pens",
    "steal": "steal money", "steel": "iron and steel", "tail": "tail of a cat", "tale": "a fairy tale",
    "threw": "threw a ball", "through": "through the door", "way": "on my way", "weigh": "weigh a parcel",
    "which": "which one", "witch": "a wicked witch",
}  # fmt: skip
"""English words that sound like others, and where they stand. British and American voices say some of them apart."""
