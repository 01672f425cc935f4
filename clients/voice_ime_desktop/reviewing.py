"""Going through the doubtful words of the last text, one at each press of a key. In memory only."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from voice_ime.messages import Messages
from voice_ime.protocol import Correction, Explain, Explained, Final
from voice_ime_desktop import review
from voice_ime_desktop.announce.language import language_of
from voice_ime_desktop.edits import LONGEST
from voice_ime_desktop.insert.base import Swap
from voice_ime_desktop.review import Rival, Spot

PATIENCE_S = 10.0
"""How long the server may take; while it recognises what was said before, it explains nothing."""

Ask = Callable[[Explain], bool]
"""Ask the server; False: it cannot be reached just now."""


@dataclass(frozen=True)
class Choice:
    """What the person wants to stand in the text."""

    utterance: str
    entry: int
    """Number of the text in the journal."""
    text: str
    """As it is, without blanks around it."""
    swap: Swap
    heard: str
    """The word that goes."""
    written: str
    """The word that comes."""
    own: bool
    """Whether one of them is of the person's own words."""

    @property
    def corrected(self) -> str:
        return self.swap.within(self.text)

    @property
    def correction(self) -> Correction:
        """To be learned from. Only what the person chose among own words is settled by saying so once: which of two
        common words is meant, as of "their" and "there", is another question each time."""
        whole = max(len(self.text), len(self.corrected)) <= LONGEST
        heard, meant = (self.text, self.corrected) if whole else (self.heard, self.written)
        how: Literal["voice", "edit"] = "voice" if self.own else "edit"
        return Correction(utterance=self.utterance, heard=heard, meant=meant, how=how)


@dataclass
class _Text:
    """One that is gone through."""

    utterance: str
    entry: int
    text: str
    """As it stands now."""
    to_come: list[Spot]
    seen: list[Spot] = field(default_factory=list)
    spot: Spot | None = None
    """The one that was explained last."""
    base: str = ""
    """The text as it was then."""
    rivals: list[Rival] = field(default_factory=list)
    taken: int | None = None
    """Number of the rival that stands there now."""

    def next(self) -> Spot | None:
        """The next doubtful part; None: that was the last one, and the next time it begins again."""
        self._put_aside()
        if not self.to_come:
            self.to_come, self.seen = self.seen, []
            return None
        self.spot, self.base = self.to_come.pop(0), self.text
        return self.spot

    def _put_aside(self) -> None:
        spot, self.spot = self.spot, None
        if self.taken is not None:
            swap = self.rivals[self.taken - 1].swap
            self.to_come, self.seen = review.after(self.to_come, swap), review.after(self.seen, swap)
        elif spot is not None:
            self.seen.append(spot)
        self.rivals, self.taken = [], None


class Reviewing:
    """All calls belong on one event loop."""

    def __init__(self, ask: Ask, messages: Messages, *, patience_s: float = PATIENCE_S) -> None:
        """`patience_s`: how long the server may take to answer."""
        self._ask = ask
        self._messages = messages
        self._patience_s = patience_s
        self._text: _Text | None = None
        self._waiting: dict[str, asyncio.Future[Explained | None]] = {}

    def begin(self, final: Final, entry: int, text: str) -> None:
        """`text`, of `final`, is the last one from now on."""
        bare = text.strip()
        self._text = _Text(final.utterance, entry, bare, review.spots(final, bare)) if bare else None

    def forget(self) -> None:
        """There is no last text any more."""
        self._text = None

    def next(self) -> tuple[str, Spot | None]:
        """What to say at once, and the doubtful part that is to be explained then; None: there is no further one."""
        self.cut()  # nobody waits for what was asked before
        text = self._text
        if text is None:
            return self._messages("desktop.nothing_yet"), None
        any_before = text.spot is not None or bool(text.seen)
        spot = text.next()
        if spot is None:
            return self._messages("desktop.review.all" if any_before else "desktop.review.none"), None
        return review.word(spot, self._messages), spot

    async def explanation(self, spot: Spot) -> list[str]:
        """What else to say of it, once the server has answered; empty where the person is elsewhere by then."""
        text = self._text
        if text is None:
            return []
        answers = await self._answers(review.questions(spot, text.text))
        if text is not self._text or text.spot is not spot:
            return []
        text.rivals = review.rivals(spot, text.text, answers)
        said = review.told(spot, text.rivals, review.explained(answers.values()), self._messages)
        return said if answers else [*said, self._messages("desktop.review.unexplained")]

    async def written(self, texts: Sequence[str]) -> list[str]:
        """How each is written, as far as the server answers."""
        answers = await self._answers(texts)
        return [sentence for text in texts if text in answers for sentence in answers[text].sentences]

    def choice(self, number: int) -> Choice | None:
        """The rival of that number, or what stood there before where it was taken already; None: there is none."""
        text = self._text
        if text is None or text.spot is None or not 1 <= number <= len(text.rivals):
            return None
        rival = text.rivals[number - 1]
        swap = rival.swap
        wanted, words = swap.within(text.base), (text.base[swap.first : swap.last], swap.by)
        if text.taken == number:
            wanted, words = text.base, (words[1], words[0])
        swap = review.difference(text.text, wanted)
        return Choice(text.utterance, text.entry, text.text, swap, *words, own=rival.own)

    def took(self, number: int, choice: Choice, entry: int) -> None:
        """It was done; `entry`: the number of what came of it."""
        text = self._text
        if text is not None and text.utterance == choice.utterance:
            text.taken = None if text.taken == number else number
            text.text, text.entry = choice.corrected, entry

    # --- the server ---

    def explained(self, answer: Explained) -> None:
        """The server has answered."""
        waiting = self._waiting.pop(answer.text, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def cut(self) -> None:
        """The server cannot be reached: what was asked is not answered any more."""
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            if not each.done():
                each.set_result(None)

    async def _answers(self, questions: Iterable[str]) -> dict[str, Explained]:
        loop = asyncio.get_running_loop()
        for text in questions:
            if self._ask(Explain(text=text, language="zh" if language_of(text, "en") == "zh" else "en")):
                self._waiting[text] = loop.create_future()
        waiting = list(self._waiting.values())
        if not waiting:
            return {}
        done, _ = await asyncio.wait(waiting, timeout=self._patience_s)
        found = [each.result() for each in done]
        return {each.text: each for each in found if each is not None}
