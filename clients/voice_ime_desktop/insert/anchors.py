"""Finding a text again that was put into a field and may have been changed since. Pure; offsets in code points."""

from dataclasses import dataclass

REACH = 24
"""So many characters on either side of a text are its anchors."""
SLACK = 200
"""So much longer or shorter the text, and what stands before it, may have become."""


@dataclass(frozen=True)
class Stretch:
    """What stands in a part of a field."""

    start: int
    """Of its first character in the field."""
    text: str
    size: int
    """Characters of the whole field."""

    @property
    def to_end(self) -> bool:
        """Whether nothing stands behind it."""
        return self.start + len(self.text) >= self.size


@dataclass(frozen=True)
class Anchored:
    """A text and what stood around it when it was put in."""

    text: str
    start: int
    """Of its first character in the field."""
    before: str
    """Empty: it stood at the beginning of the field."""
    after: str
    """Empty: nothing stood behind it."""
    size: int
    """Characters of the whole field."""


def anchored(stretch: Stretch, text: str, start: int) -> Anchored | None:
    """`text`, which stands at `start`; None: it does not, or not enough is seen around it."""
    begin = start - stretch.start
    end = begin + len(text)
    if not text or begin < 0 or stretch.text[begin:end] != text:
        return None
    before, after = stretch.text[max(0, begin - REACH) : begin], stretch.text[end : end + REACH]
    if (not before and start) or (not after and not stretch.to_end):
        return None
    return Anchored(text, start, before, after, stretch.size)


def standing(one: Anchored, stretch: Stretch) -> str | None:
    """What stands between the anchors now; None: they are not found."""
    begin = _after(one, stretch)
    if begin is None:
        return None
    if not one.after:
        return stretch.text[begin:] if stretch.to_end else None
    longer = stretch.size - one.size
    end = _nearest(stretch.text, one.after, begin + len(one.text) + longer, least=begin)
    return None if end is None else stretch.text[begin:end]


def _after(one: Anchored, stretch: Stretch) -> int | None:
    """Where the anchor before it ends."""
    if not one.before:
        return 0 if stretch.start == 0 else None
    expected = one.start - stretch.start - len(one.before)
    at = _nearest(stretch.text, one.before, expected, least=0)
    return None if at is None else at + len(one.before)


def _nearest(text: str, part: str, expected: int, least: int) -> int | None:
    """The place of `part`, from `least` on, that is nearest to `expected`."""
    left, right = text.rfind(part, least, max(least, expected) + len(part)), text.find(part, max(least, expected))
    places = [place for place in (left, right) if place >= 0]
    return min(places, key=lambda place: abs(place - expected), default=None)
