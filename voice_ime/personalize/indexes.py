"""The indexes of one profile, made and put together."""

from voice_ime.personalize.english_index import EnglishIndex
from voice_ime.personalize.mandarin_index import MandarinIndex, concerns
from voice_ime.personalize.phonetics.costs import hand_made
from voice_ime.personalize.phonetics.refit import refitted
from voice_ime.personalize.profile import Profile
from voice_ime.personalize.retrieve import Indexes, Lexicons
from voice_ime.personalize.weighing import Weighing


def index_of(profile: Profile, lexicons: Lexicons) -> Indexes:
    """The searchable sounds of all entries. Takes some time for thousands of entries: keep it per revision, and the
    lexicons for all."""
    return Indexes([english_index_of(profile, lexicons), mandarin_index_of(profile, lexicons)])


def english_index_of(profile: Profile, lexicons: Lexicons) -> EnglishIndex:
    """The sounds of the entries that are English, or Latin words among Chinese ones."""
    entries = [entry for entry in profile.entries if entry.language != "zh" or not concerns(entry)]
    costs = refitted(hand_made(), profile.lessons, lexicons.english)
    return EnglishIndex(entries, lexicons.english, Weighing.from_file(), costs)


def mandarin_index_of(profile: Profile, lexicons: Lexicons) -> MandarinIndex:
    """The sounds of the entries that are Chinese or were given a Chinese sound."""
    return MandarinIndex(profile, lexicons.chinese)
