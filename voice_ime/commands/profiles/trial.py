"""`voice-ime profile test`: how something would be heard, and what the engine in use can do with it."""

import argparse
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.profiles.desk import Desk
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.personalize.ability import Able
    from voice_ime.personalize.profile import Entry, Profile
    from voice_ime.personalize.retrieve import Candidate

MARKS = ",.;:!?，。；：！？、"
"""Around words; told as words they would be read out."""


def test_arguments(parser: Parser, messages: Messages) -> None:
    parser.add_argument("words", metavar=messages("profile.words_word"), help=messages("profile.help.test"))


def test(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.personalize.retrieve import Lexicons
    from voice_ime.personalize.sounding import Pronouncer, near

    profile = desk.profile()
    listed = _listed(profile, arguments.words)
    entries = listed or [_as_if(desk, arguments.words)]
    lexicons = Lexicons()
    candidates = near(profile, arguments.words, lexicons)
    able = _able(desk, [*entries, *(each.entry for each in candidates)], profile)
    pronouncer = Pronouncer(lexicons)
    for entry, can in zip(entries, able[: len(entries)], strict=True):
        sounds = pronouncer.readings(entry)
        row = {
            "entry": entry.id if listed else None,
            "written": entry.written,
            "sounds": list(sounds),
            "engine": can.engine if can else None,
            "ability": can.ability.value if can else None,
        }
        between = desk.messages("profile.entry.between")
        key = "profile.test.sounds" if sounds else "profile.test.no_sound"
        desk.tell(row, key, written=entry.written, sounds=between.join(sounds))
        if can:
            desk.say(f"profile.ability.{can.ability.value}", engine=can.engine)
    if not listed:
        desk.say("profile.test.not_listed", words=arguments.words)
    for rule in profile.rules:
        if arguments.words.casefold() == rule.heard.casefold():
            desk.tell({"rule": rule.id}, "profile.test.rule", rule=desk.rule_sentence(rule))
    for candidate, can in zip(candidates, able[len(entries) :], strict=True):
        _tell_candidate(desk, arguments.words, candidate, can)
    return ExitCode.OK


def _tell_candidate(desk: Desk, words: str, candidate: "Candidate", can: "Able | None") -> None:
    """What the text alone would make of these words if they were heard, and whether the sound would be asked."""
    heard = " ".join(words.split()[candidate.first : candidate.last]).strip(MARKS)
    row = {
        "heard": heard,
        "candidate": candidate.entry.id,
        "written": candidate.entry.written,
        "distance": round(candidate.distance, 3),
        "score": round(candidate.text_score, 3),
    }
    desk.tell(row, f"profile.test.{_outlook(candidate, can)}", heard=heard, written=candidate.entry.written)


def _outlook(candidate: "Candidate", can: "Able | None") -> str:
    from voice_ime.personalize.ability import Ability
    from voice_ime.personalize.profile import Strength

    if candidate.entry.strength is Strength.NEVER or candidate.homophones:
        return "might_offer"
    if candidate.text_score > 0:
        return "would_write"
    by_sound = can is None or can.ability in (Ability.CHECKED, Ability.TOLD)
    return "might_write" if by_sound else "might_offer"


def _listed(profile: "Profile", words: str) -> "list[Entry]":
    wanted = words.casefold()
    return [entry for entry in profile.entries if wanted in (entry.id, entry.written.casefold())]


def _as_if(desk: Desk, words: str) -> "Entry":
    """As if it were in the list. WrongValue."""
    from voice_ime.commands.profiles.words import right
    from voice_ime.personalize.formats.base import entry_of

    entry: Entry = right(desk, entry_of, {"written": words})
    return entry


def _able(desk: Desk, entries: "Sequence[Entry]", profile: "Profile") -> "Sequence[Able | None]":
    """What the engines of the settings can do with each; None, and a sentence, where they cannot be loaded."""
    from voice_ime.engine.engines import Engines
    from voice_ime.errors import EngineError
    from voice_ime.personalize.ability import Abilities

    try:
        engines = Engines(desk.settings.engines)
    except EngineError as error:
        for sentence in desk.messages.error(error):
            desk.say("profile.line", line=sentence)
        return [None] * len(entries)
    with closing(engines):
        abilities = Abilities(engines)
        return [abilities.of(entry, profile.preferences) for entry in entries]
