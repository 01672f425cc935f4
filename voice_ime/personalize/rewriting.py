"""A hypothesis with some of its words replaced, and an account of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice_ime.engine.base import SENTENCE_MARKS, Change, Hypothesis, Word, word_spans
from voice_ime.engine.words import cut

_ENDS = ".!?。！？…"


@dataclass(frozen=True)
class Rewrite:
    """Words `first` to `last` (exclusive) of the old hypothesis become `change.written`, or are offered it."""

    first: int
    last: int
    change: Change
    """Its own `first` and `last` are set when all is rewritten."""


def rewritten(heard: Hypothesis, rewrites: Sequence[Rewrite]) -> Hypothesis:
    """`heard` with all of `rewrites`, which do not overlap.

    Marks around the old words stay; times and confidence go over to the new ones; offers become alternatives.
    """
    if not rewrites:
        return heard
    old = _pieces(heard)
    new = _Pieces()
    changes: list[Change] = []
    at = 0
    for rewrite in sorted(rewrites, key=lambda each: each.first):
        new.add(old[at : rewrite.first])
        begin = len(new)
        new.put(old[rewrite.first : rewrite.last], rewrite.change)
        changes.append(replace(rewrite.change, first=begin, last=len(new)))
        at = rewrite.last
    new.add(old[at:])
    return replace(heard, text=new.text(), words=new.words(), changes=tuple(changes))


@dataclass(frozen=True)
class _Piece:
    """A word and what stands between it and the one before."""

    gap: str
    word: Word

    def saying(self, text: str) -> "_Piece":
        return replace(self, word=replace(self.word, text=text))


def _pieces(heard: Hypothesis) -> list[_Piece]:
    end, pieces = 0, []
    for (begin, following), word in zip(word_spans(heard), heard.words, strict=True):
        pieces.append(_Piece(heard.text[end:begin], word))
        end = following
    return pieces


class _Pieces:
    """The new words, as far as they have come."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self._capital = False
        """Whether the word that began the sentence was left out, so that the next one begins it."""
        self._break = ""
        """What a rule wrote that is no word, e.g. a new line: it stands before the next word, without a blank."""

    def __len__(self) -> int:
        return len(self._pieces)

    def text(self) -> str:
        return "".join(piece.gap + piece.word.text for piece in self._pieces).strip(" ") + self._break

    def words(self) -> tuple[Word, ...]:
        return tuple(piece.word for piece in self._pieces)

    def add(self, pieces: Sequence[_Piece]) -> None:
        for piece in pieces:
            said = piece.word.text
            if self._capital:
                piece = piece.saying(said[:1].upper() + said[1:])
            self._pieces.append(replace(piece, gap=self._break or piece.gap))
            self._capital = False
            self._break = ""

    def put(self, old: Sequence[_Piece], change: Change) -> None:
        if change.kind == "offer":
            self.add([_offered(piece, change.written) if len(old) == 1 else piece for piece in old])
        elif written := change.written.strip():
            self._capital = False  # written exactly so
            self.add(_written(written, old, change))
        else:
            self._leave_out(old)
            self._break += change.written

    def _leave_out(self, old: Sequence[_Piece]) -> None:
        """The end of a sentence stays, and its next word begins with a capital."""
        end = _marks(old)[1][-1:]
        begins = not self._pieces or self._pieces[-1].word.text[-1] in _ENDS
        self._capital = self._capital or (begins and old[0].word.text[:1].isupper())
        if not begins and end and end in _ENDS:
            last = self._pieces[-1]
            self._pieces[-1] = last.saying(last.word.text.rstrip(SENTENCE_MARKS) + end)


def _offered(piece: _Piece, written: str) -> _Piece:
    others = (text for text in piece.word.alternatives if text != written)
    return replace(piece, word=replace(piece.word, alternatives=(written, *others)))


def _written(written: str, old: Sequence[_Piece], change: Change) -> list[_Piece]:
    """The words of a text in the time of the old ones, with the marks around them."""
    before, after = _marks(old)
    if written[-1] in _ENDS and after[:1] in _ENDS:
        after = ""
    texts = cut(before + written + after)
    confidences = [piece.word.confidence for piece in old if piece.word.confidence is not None]
    rivals = (change.heard,) if change.kind == "replace" and len(texts) == 1 else ()
    word = Word("", old[0].word.start_s, old[-1].word.end_s, min(confidences, default=None), rivals)
    gaps = _gaps(before + written + after, texts)
    return [
        _Piece(gap if index else old[0].gap, replace(word, text=text))
        for index, (gap, text) in enumerate(zip(gaps, texts, strict=True))
    ]


def _marks(old: Sequence[_Piece]) -> tuple[str, str]:
    """The marks before and after the old words."""
    first, last = old[0].word.text, old[-1].word.text
    return first[: len(first) - len(first.lstrip(SENTENCE_MARKS))], last[len(last.rstrip(SENTENCE_MARKS)) :]


def _gaps(text: str, words: Sequence[str]) -> list[str]:
    """What stands before each of `words` in `text`."""
    gaps, end = [], 0
    for word in words:
        begin = text.index(word, end)
        gaps.append(text[end:begin])
        end = begin + len(word)
    return gaps
