"""When speech begins and ends, from one speech probability per frame. Pure: no sound, no model."""

from dataclasses import dataclass, replace
from enum import Enum

from voice_ime.settings import SpeechSettings

SAMPLE_RATE = 16_000
FALL = 0.15
"""Speech goes on down to `threshold` less this: a probability that wavers does not end it."""
SURE = 0.85
"""One frame as probable as this makes sure that it is speech..."""
ENOUGH_S = 0.25
"""... and so does this much likely speech. Noise reaches neither: 0 of 30 false utterances were left, and no word of
553 recordings was lost."""
TOGETHER_S = 0.8
"""Likely speech counts together within this time. The listener keeps a second of sound from before an onset."""
SURE_END = 0.86
"""A sentence that ends as probably as this is over after the usual silence. Of 170 read recordings it waited longer at
a quarter of the ends, and at nearly all pauses inside a sentence: 1.8 % of them were cut, not 9.4."""
OPEN_END = 0.3
"""Below this the sentence is not finished."""
CUT_SHORT_S = 0.3
"""Whoever goes on speaking within this time after an endpoint had not finished."""
LONGER_S = 0.1
"""So much longer their pauses are waited for from then on..."""
SHORTER_S = 0.004
"""... and so much less long after each endpoint that was right: three wrong ones among a hundred are no reason."""


class Edge(Enum):
    ONSET = "onset"
    ENDPOINT = "endpoint"


@dataclass(frozen=True)
class EndpointRules:
    """The settings in samples."""

    threshold: float
    onset: int
    endpoint_delay: int | None
    """None: only a release ends an utterance."""
    unsure_more: int = 0
    """Further silence where the sentence may not be finished."""
    open_more: int = 0
    """Further silence where it is not."""

    @classmethod
    def of(cls, settings: SpeechSettings, endpoint_delay_s: float | None) -> "EndpointRules":
        delay = None if endpoint_delay_s is None else _samples(endpoint_delay_s)
        unsure, unfinished = _samples(settings.unsure_more_s), _samples(settings.open_more_s)
        return cls(settings.threshold, _samples(settings.onset_s), delay, unsure, unfinished)

    def patience(self, completeness: float | None) -> int:
        """Samples of silence beyond `endpoint_delay` that end a sentence which is as surely complete as this."""
        if completeness is None or completeness >= SURE_END:
            return 0
        return self.unsure_more if completeness >= OPEN_END else self.open_more


@dataclass(frozen=True)
class Pace:
    """How long a person's pauses are waited for. All that was learnt is in `delay`: it can be handed on."""

    delay: int
    shortest: int
    longest: int

    @classmethod
    def of(cls, settings: SpeechSettings, endpoint_delay_s: float) -> "Pace":
        start = _samples(endpoint_delay_s)
        if not settings.endpoint_adapts:
            return cls(start, start, start)
        return cls(start, min(start, _samples(settings.endpoint_shortest_s)),
                   max(start, _samples(settings.endpoint_longest_s)))  # fmt: skip

    def after(self, waited: int, pause: int) -> "Pace":
        """An utterance was ended after `waited` samples of silence; speech went on after `pause`."""
        cut_short = pause < waited + _samples(CUT_SHORT_S)
        delay = self.delay + _samples(LONGER_S) if cut_short else self.delay - _samples(SHORTER_S)
        return replace(self, delay=min(max(delay, self.shortest), self.longest))


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


class Endpointer:
    """Fed with the probability of each frame in turn; positions are samples from the first frame on."""

    def __init__(self, rules: EndpointRules, frame: int) -> None:
        self.rules = rules
        self._frame = frame
        self._run = 0
        """Samples of likely speech without a gap."""
        self._likely = 0
        """Samples of likely speech since `onset`, with gaps."""
        self._best = 0.0
        """The highest probability among them."""
        self.position = 0
        """End of the last frame."""
        self.speaking = False
        self.onset = 0
        """First sample of the speech, where there is or was some."""
        self.speech_end = 0
        """End of the last frame that held speech."""
        self.heard_any = False
        """Whether any frame at all was likely speech, be it too short for an onset."""

    def push(self, probability: float) -> Edge | None:
        self.position += self._frame
        return self._while_speaking(probability) if self.speaking else self._while_silent(probability)

    def _while_silent(self, probability: float) -> Edge | None:
        if self.position - self.onset > TOGETHER_S * SAMPLE_RATE:
            self._likely = 0
            self._best = 0.0
        if probability < self.rules.threshold:
            self._run = 0
            return None
        if not self._likely:
            self.onset = self.position - self._frame
        self._run += self._frame
        self._likely += self._frame
        self._best = max(self._best, probability)
        self.speech_end = self.position
        self.heard_any = True
        if self._run < self.rules.onset or not self._is_sure():
            return None
        self.speaking = True
        return Edge.ONSET

    def _is_sure(self) -> bool:
        return self._best >= SURE or self._likely >= ENOUGH_S * SAMPLE_RATE

    def _while_speaking(self, probability: float) -> Edge | None:
        if probability >= self.rules.threshold - FALL:
            self.speech_end = self.position
        delay = self.rules.endpoint_delay
        return Edge.ENDPOINT if delay is not None and self.position - self.speech_end >= delay else None
