"""Answers to "how is this written, and what else sounds so?"."""

from collections.abc import Callable

from voice_ime import protocol as wire
from voice_ime.messages import Messages
from voice_ime.personalize.explain import Explainer
from voice_ime.personalize.personal import Profiles
from voice_ime.personalize.profile import Profile

NOBODY = Profile.model_construct(name="")
"""Without words of their own. No profile that is kept has this name."""


class Explanations:
    """Blocking calls: for a worker thread. Safe to use from several threads."""

    def __init__(self, profiles: Profiles, explainer: Callable[[Profile], Explainer]) -> None:
        """`explainer`: asked for each question, so it must be quick for the same profile."""
        self._profiles = profiles
        self._explainer = explainer

    def answer(self, profile: str | None, question: wire.Explain, messages: str) -> wire.Explained:
        """`messages`: the language of the sentences. `profile` None: nobody's words. ProfileNotFound."""
        explainer = self._explainer(NOBODY if profile is None else self._profiles.current(profile))
        words = Messages(messages)

        def sentences(text: str) -> tuple[str, ...]:
            return tuple(each.sentence(words) for each in explainer.explain(text, question.language))

        rivals = explainer.rivals(question.text, question.language)
        return wire.Explained(
            text=question.text,
            source=explainer.entry(question.text),
            sentences=sentences(question.text),
            rivals=tuple(wire.Rival(text=one.text, source=one.entry, sentences=sentences(one.text)) for one in rivals),
        )
