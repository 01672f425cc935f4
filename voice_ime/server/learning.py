"""What corrections that come over the wire do to the profile of the person who sent them."""

from datetime import UTC, datetime

from voice_ime import protocol as wire
from voice_ime.messages import Messages
from voice_ime.personalize.learn import Correction, Learned, Learner
from voice_ime.personalize.profile import Lesson, Profile, Source, State
from voice_ime.store.base import Author, Store, retried

_AUTHOR = Author(Source.LEARNED, "dictation")


class Corrections:
    """Blocking calls: for a worker thread. Safe to use from several threads."""

    def __init__(self, store: Store, learner: Learner) -> None:
        self._store = store
        self._learner = learner

    def take(self, profile: str, session: str, message: wire.Correction, language: str) -> wire.CorrectionTaken:
        """What is wrong with the store; ProfileNotFound."""
        correction = Correction(message.heard, message.meant, f"{session}/{message.utterance}", message.how)
        before, learned = retried(lambda: self._learned(profile, correction))
        if meant := [lesson.entry for lesson in learned.lessons if lesson.state is State.ACTIVE and lesson.entry]:
            self.used(profile, meant)
        news = [lesson for lesson in learned.lessons if _is_news(lesson, before)]
        return wire.CorrectionTaken(
            utterance=message.utterance,
            kept=any(lesson.state in (State.ACTIVE, State.DEMOTED, State.QUARANTINED) for lesson in news),
            say=" ".join(self._sentence(lesson, Messages(language)) for lesson in news),
        )

    def used(self, profile: str, entries: list[str]) -> None:
        """These entries were written or chosen: of those that sound the same the one in use is likelier."""
        self._store.mark_used(profile, entries, datetime.now(UTC))

    def _learned(self, profile: str, correction: Correction) -> tuple[Profile, Learned]:
        """The profile before, and what was changed in it."""
        before = self._store.get(profile)
        learned = self._learner.corrected(before, correction)
        if learned.changes:
            self._store.apply(profile, learned.changes, _AUTHOR, expected=before.revision)
        return before, learned

    def _sentence(self, lesson: Lesson, messages: Messages) -> str:
        offered = lesson.state is State.ACTIVE and self._learner.is_ordinary(lesson)
        return messages(
            f"learn.{lesson.state.value}{'_word' if offered else ''}", heard=lesson.heard, written=lesson.written
        )


def _is_news(lesson: Lesson, before: Profile) -> bool:
    known = {old.id: old.state for old in before.lessons}
    return lesson.state is not State.OBSERVED and known.get(lesson.id) is not lesson.state
