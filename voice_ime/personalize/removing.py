"""Taking an entry out of a profile."""

from voice_ime.personalize.profile import Profile, State
from voice_ime.store.base import Change, Put, Remove


def removal(profile: Profile, entry: str) -> tuple[Change, ...]:
    """The changes that remove the entry of that id: with it goes what was learned for it."""
    lessons = [each for each in profile.lessons if each.entry == entry]
    update = {"state": State.DEMOTED, "times": 0, "entry": "", "new_entry": False, "pinned": False}
    return Remove("entry", entry), *(Put(each.model_copy(update=update)) for each in lessons)
