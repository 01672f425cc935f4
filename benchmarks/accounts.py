"""What became of each utterance: the journal's word for it against what really stands in the fields. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PERHAPS = frozenset({"perhaps_inserted", "not_arrived"})
"""Reasons for holding a text that say: it may be in the field all the same."""
COUNTED = ("inserted", "unverifiable", "held", "refused", "lost", "doubled", "misplaced", "in_secure_field")
GRAVE = ("lost", "doubled", "misplaced", "in_secure_field", "untrue", "unsaid")
"""None of these may happen."""


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


@dataclass(frozen=True)
class Finding:
    """What became of an utterance; `what` is a word of `COUNTED` or `GRAVE`, or said_while_dying."""

    utterance: int
    fault: str
    field: str
    what: str
    detail: str = ""


def findings(utterances: Sequence[Utterance], fields: Mapping[str, str], secure: Sequence[str]) -> list[Finding]:
    """One for each utterance, and one more for each secure field with something in it.

    `fields`: what stands in each field, as its own program sees it. `secure`: those of them where nothing may stand.
    """
    found = [_finding(one, fields) for one in utterances]
    found += [
        Finding(0, "", name, "in_secure_field", f"{len(fields[name])} characters") for name in secure if fields[name]
    ]
    return found


def counts(found: Sequence[Finding]) -> dict[str, int]:
    number = Counter(one.what for one in found)
    return {what: number[what] for what in (*COUNTED, "said_while_dying", "untrue", "unsaid")}


def _finding(one: Utterance, fields: Mapping[str, str]) -> Finding:
    what, detail = _became(one, fields)
    if one.unsaid and what not in GRAVE:
        what, detail = "unsaid", f"{what}, {detail}"
    return Finding(one.number, one.fault, one.field, what, detail)


def _became(one: Utterance, fields: Mapping[str, str]) -> tuple[str, str]:
    if len(one.noted) > 1:
        return (
            "doubled",
            f"noted {len(one.noted)} times: {[(note.number, note.state, note.reason) for note in one.noted]}",
        )
    if not one.noted:
        return _without_a_note(one)
    noted = one.noted[0]
    where = {name: times for name, text in fields.items() if (times := _times(noted.text, text))}
    detail = f"{noted.state} {noted.reason or ''}; number {noted.number} stands in {where}"
    own = where.pop(one.field, 0)
    if where:
        return "misplaced", detail
    if own and one.secure:
        return "in_secure_field", detail
    if own > 1:
        return "doubled", detail
    return _compared(noted, bool(own)), detail


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


def _times(text: str, field: str) -> int:
    """How often a text stands in a field; capitals depend on what stood before it."""
    words = text.strip().casefold()
    return field.casefold().count(words) if words else 0
