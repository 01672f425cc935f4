"""Making a profile ready for use: the one place where the parts of the correction are put together."""

from voice_ime.personalize.correct import Corrector
from voice_ime.personalize.decide import Decider
from voice_ime.personalize.profile import Profile
from voice_ime.personalize.retrieve import Lexicons, index_of


class Preparation:
    """What all profiles share. Safe to use from several threads."""

    def __init__(self, lexicons: Lexicons) -> None:
        self._lexicons = lexicons
        self._judge = Decider()

    def __call__(self, profile: Profile) -> Corrector:
        """Up to some tenths of a second for thousands of entries."""
        return Corrector(profile, index_of(profile, self._lexicons), self._judge)
