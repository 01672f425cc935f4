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
    from voice_ime.engine.base import Hypothesis
    from voice_ime.personalize.ability import Able
    from voice_ime.personalize.profile import Entry, Profile, Rule
    from voice_ime.personalize.retrieve import Candidate

MARKS = ",.;:!?，。；：！？、"
"""Around words; told as words they would be read out."""
MOST_TOLD = 5
"""Entries that could be meant; more of them nobody listens to."""
MOST_SOUNDS = 3
"""Ways to say what is not in the list, perhaps a whole sentence."""


def test_arguments(parser: Parser, messages: Messages) -> None:
    parser.add_argument("words", metavar=messages("profile.words_word"), help=messages("profile.help.test"))
    name = messages("help.name_word")
    parser.add_argument("--application", metavar=name, help=messages("profile.help.test_application"))


def test(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.personalize.retrieve import Lexicons
    from voice_ime.personalize.sounding import Pronouncer, as_heard, near

    profile = desk.profile()
    listed = _listed(profile, arguments.words)
    entries = listed or [_as_if(desk, arguments.words)]
    lexicons = Lexicons()
    heard = as_heard(arguments.words)
    candidates = near(profile, heard, lexicons, arguments.application)
    able = _able(desk, [*entries, *(each.entry for each in candidates)], profile)
    for entry, can in zip(entries, able[: len(entries)], strict=True):
        _tell_entry(desk, entry, Pronouncer(lexicons).readings(entry), can, is_listed=bool(listed))
    if not listed:
        desk.say("profile.test.not_listed", words=arguments.words)
    for rule in _rules(profile, heard):
        desk.tell({"rule": rule.id}, "profile.test.rule", rule=desk.rule_sentence(rule))
    _tell_candidates(desk, heard, candidates, able[len(entries) :])
    return ExitCode.OK


def _tell_entry(desk: Desk, entry: "Entry", sounds: "Sequence[str]", can: "Able | None", *, is_listed: bool) -> None:
    row = {
        "entry": entry.id if is_listed else None,
        "written": entry.written,
        "sounds": list(sounds),
        "engine": can.engine if can else None,
        "ability": can.ability.value if can else None,
    }
    between = desk.messages("profile.entry.between")
    key = "profile.test.sounds" if sounds else "profile.test.no_sound"
    told = sounds if is_listed else sounds[:MOST_SOUNDS]
    desk.tell(row, key, written=entry.written, sounds=between.join(told))
    if can:
        desk.say(f"profile.ability.{can.ability.value}", engine=can.engine)


def _rules(profile: "Profile", heard: "Hypothesis") -> "list[Rule]":
    """Those for words that were heard, wherever they apply."""
    from voice_ime.personalize.rules import Rules

    return [
        rule
        for rule in profile.rules
        if Rules([rule.model_copy(update={"application": "", "language": None})]).matches(heard.words, None, None)
    ]


def _tell_candidates(
    desk: Desk, heard: "Hypothesis", candidates: "Sequence[Candidate]", able: "Sequence[Able | None]"
) -> None:
    """What the text alone would make of these words if they were heard, and whether the sound would be asked."""
    from voice_ime.engine.base import word_spans

    spans = word_spans(heard)
    written: set[int] = set()
    for number, (candidate, can) in enumerate(zip(candidates, able, strict=True)):
        words = range(candidate.first, candidate.last)
        text = heard.text[spans[candidate.first][0] : spans[candidate.last - 1][1]].strip(MARKS)
        row = {
            "heard": text,
            "candidate": candidate.entry.id,
            "written": candidate.entry.written,
            "distance": round(candidate.distance, 3),
            "score": round(candidate.text_score, 3),
        }
        outlook = _outlook(candidate, can, is_first=written.isdisjoint(words))
        if outlook == "would_write":
            written.update(words)
        if desk.as_json or number < MOST_TOLD:
            desk.tell(row, f"profile.test.{outlook}", heard=text, written=candidate.entry.written)
    if len(candidates) > MOST_TOLD:
        desk.say("profile.test.more", count=len(candidates) - MOST_TOLD)


def _outlook(candidate: "Candidate", can: "Able | None", *, is_first: bool) -> str:
    """`is_first`: nothing likelier would be written in its place."""
    from voice_ime.personalize.ability import Ability
    from voice_ime.personalize.profile import Strength

    if candidate.entry.strength is Strength.NEVER or candidate.homophones:
        return "might_offer"
    if candidate.text_score > 0 and is_first:
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
