"""Answers to "how is this written, and what else sounds so?"."""

import threading

from voice_ime import protocol as wire
from voice_ime.messages import Messages
from voice_ime.personalize.explain import Explainer
from voice_ime.personalize.mandarin_index import MandarinIndex
from voice_ime.personalize.personal import Profiles
from voice_ime.personalize.profile import DEFAULT, Profile
from voice_ime.personalize.retrieve import Lexicons


class Explanations:
    """Blocking calls: for a worker thread. Safe to use from several threads."""

    def __init__(self, profiles: Profiles, lexicons: Lexicons) -> None:
        self._profiles = profiles
        self._lexicons = lexicons
        self._lock = threading.Lock()
        self._nobody = Profile(name=DEFAULT)
        self._last: tuple[Profile, Explainer] | None = None

    def answer(self, profile: str | None, question: wire.Explain, messages: str) -> wire.Explained:
        """`messages`: the language of the sentences. `profile` None: nobody's words. ProfileNotFound."""
        explainer = self._explainer(self._nobody if profile is None else self._profiles.current(profile))
        words = Messages(messages)

        def sentences(text: str) -> tuple[str, ...]:
            return tuple(each.sentence(words) for each in explainer.explain(text, question.language))

        rivals = explainer.rivals(question.text, question.language)
        return wire.Explained(
            text=question.text,
            sentences=sentences(question.text),
            rivals=tuple(wire.Rival(text=one.text, source=one.entry, sentences=sentences(one.text)) for one in rivals),
        )

    def _explainer(self, profile: Profile) -> Explainer:
        with self._lock:
            if self._last is None or self._last[0] is not profile:
                chinese, english = self._lexicons.chinese, self._lexicons.english
                made = Explainer(profile, MandarinIndex(profile, chinese), chinese, english)
                self._last = (profile, made)
            return self._last[1]
