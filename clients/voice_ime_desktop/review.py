"""The doubtful words of a text: where they stand, what else they could be, and how that is said. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from voice_ime.messages import Messages
from voice_ime.protocol import Change, Explained, Final, FinalWord
from voice_ime.protocol import Rival as Named
from voice_ime_desktop.announce.language import language_of
from voice_ime_desktop.insert.base import Swap

DOUBTFUL = 0.8
"""Confidence below which a word is doubtful."""
MOST_RIVALS = 6
LONGEST = 200
"""Characters that the server explains."""
_SENTENCE_ENDS = ".!?。！？"
ENDS = f"{_SENTENCE_ENDS},;:…\"'()[]，、；：“”‘’（）《》"
"""Signs beside a word that are no part of it."""


@dataclass(frozen=True)
class Rival:
    """What could stand in place of a part of the text."""

    swap: Swap
    own: bool = False
    """Whether it is one of the person's own words."""


@dataclass(frozen=True)
class Spot:
    """A doubtful part of a text."""

    first: int
    """Characters of the text: from this one..."""
    last: int
    """... to this one (exclusive)."""
    text: str
    confidence: float | None
    """0 to 1; None: the engine does not say."""
    offers: tuple[Rival, ...] = ()
    """Out of the personal vocabulary."""
    others: tuple[Rival, ...] = ()
    """What else was heard, likeliest first."""


def spots(final: Final, text: str) -> list[Spot]:
    """The doubtful parts of `text`, which is `final` as it was put in; the most doubtful first, then those of which
    nobody knows how sure they are."""
    places = _places(final.words, text)
    offers = [change for change in final.changes if change.kind == "offer"]
    found = {}
    for first, last in _doubtful(final, offers):
        begin, end = places.get(first), places.get(last - 1)
        if begin is not None and end is not None and begin[0] < end[1]:
            found[begin[0], end[1]] = _spot(final, text, (first, last), (begin[0], end[1]))
    return sorted(found.values(), key=lambda each: (each.confidence is None, each.confidence, each.first))


def _doubtful(final: Final, offers: Sequence[Change]) -> Iterator[tuple[int, int]]:
    """Parts of its words, from and to (exclusive): those for which there is an offer, and single other words."""
    spans = dict.fromkeys((change.first_word, change.last_word) for change in offers)
    yield from (span for span in spans if 0 <= span[0] < span[1] <= len(final.words))
    covered = set(chain.from_iterable(range(*span) for span in spans))
    for number, word in enumerate(final.words):
        sure = word.confidence is not None and word.confidence >= DOUBTFUL
        if number not in covered and (not sure or word.alternatives):
            yield number, number + 1


def _spot(final: Final, text: str, words: tuple[int, int], place: tuple[int, int]) -> Spot:
    here = [change for change in final.changes if (change.first_word, change.last_word) == words]
    known = [word.confidence for word in final.words[slice(*words)] if word.confidence is not None]
    alternatives = final.words[words[0]].alternatives if words[1] - words[0] == 1 else ()
    heard = (change.heard for change in here if change.kind == "replace")
    offers = (change.written for change in here if change.kind == "offer")
    return Spot(
        *place,
        text[slice(*place)],
        min(known, default=None),
        tuple(_rival(text, place, each, own=True) for each in offers),
        tuple(_rival(text, place, each) for each in (*heard, *alternatives)),
    )


def _places(words: Sequence[FinalWord], text: str) -> dict[int, tuple[int, int]]:
    """Where each word stands in `text`, without the signs around it; capitals may differ at its beginning."""
    places, at = {}, 0
    for number, word in enumerate(words):
        begin = _found(text, word.text, at)
        if begin is None:
            continue
        at = begin + len(word.text)
        bare = word.text.strip(ENDS)
        if bare:
            first = begin + word.text.index(bare)
            places[number] = first, first + len(bare)
    return places


def _found(text: str, word: str, at: int) -> int | None:
    """Where `word` comes next; None: other words come before it."""
    for written in dict.fromkeys((word, word[:1].upper() + word[1:], word[:1].lower() + word[1:])):
        begin = text.find(written, at) if written else -1
        if begin >= 0 and not any(character.isalnum() for character in text[at:begin]):
            return begin
    return None


def _rival(text: str, place: tuple[int, int], written: str, *, own: bool = False) -> Rival:
    """As it is written at this place: with a capital where a sentence begins with one."""
    bare = written.strip(ENDS) or written
    before = text[: place[0]].rstrip()
    begins = not before or before[-1] in _SENTENCE_ENDS
    return Rival(Swap(*place, _like(text[place[0]], bare) if begins else bare), own)


def _like(letter: str, word: str) -> str:
    """A small `word` with a capital if `letter` is one."""
    return word[:1].upper() + word[1:] if letter.isupper() and word == word.lower() else word


def _named(text: str, place: tuple[int, int], rival: Named) -> Rival:
    """One that the server names. Words of the language come small; what sounds like a name is one."""
    if rival.source:
        return _rival(text, place, rival.text, own=True)
    return Rival(Swap(*place, _like(text[place[0]], rival.text)))


# --- what the server says of them ---


def questions(spot: Spot, text: str) -> list[str]:
    """Texts that the server is to explain."""
    parts = (text[slice(*place)] for place in _words_around(spot, text))
    rivals = (rival.swap.by for rival in (*spot.offers, *spot.others))
    return [each for each in dict.fromkeys((spot.text, *parts, *rivals)) if 0 < len(each) <= LONGEST]


def rivals(spot: Spot, text: str, answers: Mapping[str, Explained]) -> list[Rival]:
    """The person's own words first; none twice, and none that would change nothing."""
    said = [
        _named(text, place, rival)
        for place in (*_words_around(spot, text), (spot.first, spot.last))
        if (answer := answers.get(text[slice(*place)])) is not None
        for rival in answer.rivals
    ]
    heard = [_known(each, answers) for each in spot.others]
    every = [*spot.offers, *(each for each in said if each.own), *heard, *(each for each in said if not each.own)]
    different: dict[str, Rival] = {}
    for each in every:
        different.setdefault(each.swap.within(text), each)
    different.pop(text, None)
    return list(different.values())[:MOST_RIVALS]


def _known(rival: Rival, answers: Mapping[str, Explained]) -> Rival:
    """What was heard may be one of the person's own words."""
    answer = answers.get(rival.swap.by)
    return replace(rival, own=True) if answer is not None and answer.source else rival


def _words_around(spot: Spot, text: str) -> list[tuple[int, int]]:
    """Two Chinese characters each, of which the spot is one: most words have two."""
    if len(spot.text) != 1:
        return []
    pairs = ((spot.first - 1, spot.last), (spot.first, spot.last + 1))
    return [pair for pair in pairs if pair[0] >= 0 and _chinese_in(text[slice(*pair)]) == 2]


def _chinese_in(text: str) -> int:
    return sum(language_of(character, "en") == "zh" for character in text)


def explained(answers: Iterable[Explained]) -> dict[str, tuple[str, ...]]:
    """How each text is written: those that were asked about, and what the server named."""
    found: dict[str, tuple[str, ...]] = {}
    for answer in answers:
        found |= {rival.text: rival.sentences for rival in answer.rivals}
        found[answer.text] = answer.sentences
    return found


# --- how it is said ---


def word(spot: Spot, messages: Messages) -> str:
    if spot.confidence is None:
        return messages("desktop.review.word", text=spot.text)
    return messages("desktop.review.doubtful", text=spot.text, percent=round(100 * spot.confidence))


def told(spot: Spot, rivals: Sequence[Rival], written: Mapping[str, tuple[str, ...]], messages: Messages) -> list[str]:
    """How the word is written, then each rival with its number. `written`: see `explained`."""
    sentences = [*written.get(spot.text, ())]
    for number, rival in enumerate(rivals, 1):
        how = messages("desktop.review.between").join(_how(rival.swap.by, written))
        key = "desktop.review.own" if rival.own else "desktop.review.rival"
        sentences.append(messages(key, number=number, how=how))
    return sentences if rivals else [*sentences, messages("desktop.review.no_rivals")]


def _how(text: str, written: Mapping[str, tuple[str, ...]]) -> Sequence[str]:
    """The text, and how it is written where that is known."""
    known = written.get(text) or written.get(text[:1].lower() + text[1:]) or ()
    if len(known) == 1 and known[0].casefold().startswith(text.casefold()):
        return known
    return text, *known


# --- after one was taken ---


def after(spots: Sequence[Spot], swap: Swap) -> list[Spot]:
    """Those that stand as they were once `swap` is made, where they are then."""
    longer = len(swap.by) - (swap.last - swap.first)
    return [
        spot if spot.last <= swap.first else _moved(spot, longer)
        for spot in spots
        if spot.last <= swap.first or spot.first >= swap.last
    ]


def difference(text: str, other: str) -> Swap:
    """What makes `other` out of `text`."""
    shortest = min(len(text), len(other))
    begin = next((at for at in range(shortest) if text[at] != other[at]), shortest)
    same = shortest - begin
    end = next((at for at in range(same) if text[-1 - at] != other[-1 - at]), same)
    return Swap(begin, len(text) - end, other[begin : len(other) - end])


def _moved(spot: Spot, count: int) -> Spot:
    def there(rival: Rival) -> Rival:
        return replace(rival, swap=rival.swap.further(count))

    return replace(
        spot,
        first=spot.first + count,
        last=spot.last + count,
        offers=tuple(map(there, spot.offers)),
        others=tuple(map(there, spot.others)),
    )
