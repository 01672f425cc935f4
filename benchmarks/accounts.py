"""What became of each utterance: the journal's word for it against what really stands in the fields. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

PERHAPS = frozenset({"perhaps_inserted", "not_arrived"})
"""Reasons for holding a text that say: it may be in the field all the same."""
COUNTED = ("inserted", "unverifiable", "held", "refused", "lost", "doubled", "misplaced", "in_secure_field")
GRAVE = ("lost", "doubled", "misplaced", "in_secure_field", "untrue", "unsaid")
"""None of these may happen."""
PART = 0.2
"""Of what was said: so much missing in one place, or more than was said, is no mishearing."""


@dataclass(frozen=True)
class Noted:
    """A line of the journal."""

    number: int
    text: str
    state: str
    reason: str | None


@dataclass(frozen=True)
class Utterance:
    """One time of talking, and all that was noted of it."""

    number: int
    fault: str
    field: str
    """Where it belongs."""
    secure: bool
    """Whether nothing may be put there."""
    noted: tuple[Noted, ...]
    refusal_said: bool = False
    died: bool = False
    """Whether the client was killed before it had noted it: the one loss that is stated."""
    unsaid: bool = False
    """Whether nothing was said of what the journal knows."""
    said: tuple[str, ...] = ()
    """What the engine makes of the same sound when nothing breaks, in one piece and in several; empty: it does not
    listen."""
    delivered: str = ""
    """What it makes alone of what the microphone delivered to somebody else; empty: not known. On a busy machine that
    is not quite what was played."""

    @property
    def expected(self) -> tuple[str, ...]:
        return (*self.said, self.delivered) if self.delivered else self.said


@dataclass(frozen=True)
class Finding:
    """What became of an utterance; `what` is a word of `COUNTED` or `GRAVE`, or said_while_dying."""

    utterance: int
    fault: str
    field: str
    what: str
    detail: str = ""


@dataclass(frozen=True)
class HeardOtherwise:
    """An utterance that reads otherwise than when nothing breaks; the rest as in `Utterance`."""

    utterance: int
    fault: str
    said: str
    delivered: str
    heard: str

    @property
    def as_delivered(self) -> bool:
        """It was the microphone: the same engine hears the same in what somebody else got from it."""
        return _letters(self.delivered) == _letters(self.heard)


def findings(utterances: Sequence[Utterance], fields: Mapping[str, str], secure: Sequence[str]) -> list[Finding]:
    """One for each utterance, and one more for each secure field with something in it.

    `fields`: what stands in each field, as its own program sees it. `secure`: those of them where nothing may stand.
    Several utterances may have the same text; where it stands too often or too seldom, one of them is told.
    """
    found = [_finding(one, share) for one, share in zip(utterances, _shares(utterances, fields), strict=True)]
    found += [
        Finding(0, "", name, "in_secure_field", f"{len(fields[name])} characters") for name in secure if fields[name]
    ]
    return found


def heard_otherwise(utterances: Sequence[Utterance]) -> list[HeardOtherwise]:
    """Those whose text is not what it would be if nothing had broken."""
    return [
        HeardOtherwise(one.number, one.fault, one.said[0], one.delivered, one.noted[0].text)
        for one in utterances
        if _was_heard(one) and all(_letters(said) != _letters(one.noted[0].text) for said in one.said)
    ]


def counts(found: Sequence[Finding]) -> dict[str, int]:
    number = Counter(one.what for one in found)
    return {what: number[what] for what in (*COUNTED, "said_while_dying", "untrue", "unsaid")}


def _shares(utterances: Sequence[Utterance], fields: Mapping[str, str]) -> list[Counter[str]]:
    """How often the text of each stands in each field.

    Each place where a text stands is some utterance's: first of those that are said to be there, then of those that may
    be, then of the last one that belongs there, or else of the last one with this text.
    """
    shares = [Counter[str]() for _ in utterances]
    owners = _owners(utterances)
    for field, text in fields.items():
        for words, times in _standing(list(owners), text):
            for number in _dealt(owners[words], utterances, field, times):
                shares[number][field] += 1
    return shares


def _owners(utterances: Sequence[Utterance]) -> Mapping[str, list[int]]:
    """By text: who was noted with it. (Of who was noted twice, this is told anyway.)"""
    owners = defaultdict[str, list[int]](list)
    for number, one in enumerate(utterances):
        if one.noted and (words := _plain(one.noted[0].text)):
            owners[words].append(number)
    return owners


def _standing(texts: Sequence[str], field: str) -> Iterator[tuple[str, int]]:
    """How often each text stands in a field. What is part of a longer one of them is that one's."""
    rest = _plain(field)
    for words in sorted(texts, key=len, reverse=True):
        if times := rest.count(words):
            rest = rest.replace(words, "\0")
            yield words, times


def _dealt(owners: Sequence[int], utterances: Sequence[Utterance], field: str, times: int) -> list[int]:
    here = [number for number in owners if utterances[number].field == field]
    sure = [number for number in here if utterances[number].noted[0].state in ("verified", "unverified")]
    perhaps = [number for number in here if utterances[number].noted[0].reason in PERHAPS]
    dealt = [*sure, *perhaps][:times]
    return dealt + [(here or list(owners))[-1]] * (times - len(dealt))


def _finding(one: Utterance, where: Counter[str]) -> Finding:
    what, detail = _became(one, where)
    if what not in GRAVE and _was_heard(one):
        what = _heard_in_part(one) or what
    if one.unsaid and what not in GRAVE:
        what, detail = "unsaid", f"{what}, {detail}"
    return Finding(one.number, one.fault, one.field, what, detail)


def _became(one: Utterance, where: Counter[str]) -> tuple[str, str]:
    if len(one.noted) > 1:
        return (
            "doubled",
            f"noted {len(one.noted)} times: {[(note.number, note.state, note.reason) for note in one.noted]}",
        )
    if not one.noted:
        return _without_a_note(one)
    noted = one.noted[0]
    detail = f"{noted.state} {noted.reason or ''}; number {noted.number} stands in {dict(where)}"
    own = where[one.field]
    if where.keys() - {one.field}:
        return "misplaced", detail
    if own and one.secure:
        return "in_secure_field", detail
    if own > 1:
        return "doubled", detail
    return _compared(noted, bool(own)), detail


def _was_heard(one: Utterance) -> bool:
    """What is refused because it is secret is not noted."""
    return bool(one.said and len(one.noted) == 1 and one.noted[0].text)


def _heard_in_part(one: Utterance) -> str:
    """lost or doubled where a part of what was said is missing or too much; empty: it is whole."""
    heard = _letters(one.noted[0].text)
    lumps = [_lumps(_letters(said), heard) for said in one.expected]
    if all(missing > PART for missing, _ in lumps):
        return "lost"
    return "doubled" if all(more > PART for _, more in lumps) else ""


def _lumps(said: str, heard: str) -> tuple[float, float]:
    """The longest stretch that is missing, and that is too much, in parts of what was said."""
    changes = [
        (end - begin) - (there_end - there)
        for _, begin, end, there, there_end in SequenceMatcher(None, said, heard, autojunk=False).get_opcodes()
    ]
    return max([0, *changes]) / max(len(said), 1), max([0, *(-change for change in changes)]) / max(len(said), 1)


def _without_a_note(one: Utterance) -> tuple[str, str]:
    if one.refusal_said:
        return "refused", "before a word was said"
    return ("said_while_dying" if one.died else "lost"), "not noted"


def _compared(noted: Noted, is_there: bool) -> str:
    match noted.state:
        case "verified" | "unverified" if not is_there:
            return "lost"
        case "verified":
            return "inserted"
        case "unverified":
            return "unverifiable"
        case "held" if not is_there or noted.reason in PERHAPS:
            return "held"
        case "refused" if not is_there:
            return "refused"
        case _:
            return "untrue"


def _plain(text: str) -> str:
    """Capitals depend on what stood before it."""
    return text.strip().casefold()


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
