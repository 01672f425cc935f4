"""A download for somebody who reads nothing: what is said of it aloud."""

import time
from collections.abc import Callable
from typing import Protocol

from voice_ime.errors import VoiceImeError
from voice_ime.messages import Messages
from voice_ime.models.download import Watcher

EVERY_S = 10.0
"""Between two sentences on how far it is, at least so much time..."""
EVERY_PART = 0.25
"""... and so much of the model; where that takes long..."""
SILENT_S = 60.0
"""... no longer than this without a word."""
USUAL_MB = 200
"""A model of which nobody knows the size."""


class Voice(Protocol):
    """Speaks. Calls return at once and never fail."""

    def say(self, sentence: str) -> None: ...

    def progress(self, sentence: str) -> None:
        """How far something is; worth nothing when the next one comes."""

    def quiet(self) -> None:
        """What is being said is not needed any more."""


class NoVoice:
    def say(self, sentence: str) -> None:
        pass

    def progress(self, sentence: str) -> None:
        pass

    def quiet(self) -> None:
        pass


def say_error(error: VoiceImeError, voice: Voice, messages: Messages) -> None:
    """What went wrong, and what to do."""
    for sentence in messages.error(error):
        voice.say(sentence)


class SpokenProgress:
    """How far a download is, in few words: those who wait do other things meanwhile."""

    def __init__(
        self, voice: Voice, name: str, messages: Messages, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._voice = voice
        self._name = name
        self._messages = messages
        self._clock = clock
        self._total_mb: int | None = None
        self._files: dict[str, int] = {}
        self._said_at = clock()
        self._said_mb = 0.0
        self._pace = _Pace()
        self._sources = 0

    def begin(self, megabytes: int | None) -> None:
        self._total_mb, self._said_at = megabytes, self._clock()
        told = self._messages("models.size_unknown" if megabytes is None else "models.size", megabytes=megabytes)
        self._voice.say(self._messages("models.fetching", name=self._name, size=told))

    def source(self, where: str) -> None:
        self._files.clear()
        self._said_mb = 0.0
        self._pace = _Pace()
        self._sources += 1
        if self._sources > 1:
            self._voice.say(self._messages("models.elsewhere", where=where))

    def at(self, file: str, have: int) -> None:
        self._files[file] = have
        self._pace.at(self._have_mb, self._clock())
        if self._is_time():
            self._tell()

    def again(self, where: str, from_bytes: int) -> None:
        self._pace = _Pace()
        self._say_seldom("models.again", where=where, megabytes=from_bytes // 1_000_000)

    def checking(self) -> None:
        self._say_seldom("models.checking")

    def _say_seldom(self, key: str, **values: object) -> None:
        if self._clock() - self._said_at >= EVERY_S:
            self._said_at = self._clock()
            self._voice.progress(self._messages(key, **values))

    @property
    def _have_mb(self) -> float:
        return sum(self._files.values()) / 1e6

    def _is_time(self) -> bool:
        passed = self._clock() - self._said_at
        part = (self._have_mb - self._said_mb) / (self._total_mb or USUAL_MB)
        return passed >= SILENT_S or (passed >= EVERY_S and part >= EVERY_PART)

    def _tell(self) -> None:
        self._said_at = self._clock()
        self._said_mb = self._have_mb
        self._voice.progress(self._so_far())

    def _so_far(self) -> str:
        if self._total_mb is None:
            return self._messages("models.progress_without_end", have=round(self._have_mb))
        percent = min(100, round(100 * self._have_mb / self._total_mb))
        left_s = self._pace.seconds_for(self._total_mb - self._have_mb)
        if left_s is None:
            return self._messages("models.percent", percent=percent)
        return self._messages("models.percent_left", percent=percent, left=time_in_words(left_s, self._messages))


class _Pace:
    """How fast it goes since the download began, or began again."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)

    def at(self, megabytes: float, now: float) -> None:
        self._last = (megabytes, now)
        self._first = self._first or self._last

    def seconds_for(self, megabytes: float) -> float | None:
        """None: nothing came yet."""
        first, last = self._first or self._last, self._last
        came = last[0] - first[0]
        return max(0.0, megabytes) * (last[1] - first[1]) / came if came > 0 else None


def time_in_words(seconds: float, messages: Messages) -> str:
    """As rough as it is known."""
    minutes = round(seconds / 60)
    if seconds < 45:
        return messages("models.left.moments")
    if minutes <= 1:
        return messages("models.left.minute")
    if minutes < 60:
        return messages("models.left.minutes", count=minutes)
    hours = round(seconds / 3600)
    return messages("models.left.hour") if hours == 1 else messages("models.left.hours", count=hours)


class Watchers:
    """Several that are told the same."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def begin(self, megabytes: int | None) -> None:
        for one in self._watchers:
            one.begin(megabytes)

    def source(self, where: str) -> None:
        for one in self._watchers:
            one.source(where)

    def at(self, file: str, have: int) -> None:
        for one in self._watchers:
            one.at(file, have)

    def again(self, where: str, from_bytes: int) -> None:
        for one in self._watchers:
            one.again(where, from_bytes)

    def checking(self) -> None:
        for one in self._watchers:
            one.checking()
