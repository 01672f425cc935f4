"""`voice-ime profile add, edit, remove, rule, entries`."""

import argparse
from typing import TYPE_CHECKING, Any

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.profiles.desk import Desk
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.personalize.profile import Entry, Profile, Rule

STRENGTHS = ("strong", "normal", "weak", "never")
LANGUAGES = ("en", "zh", "both")

# --- entries ---------------------------------------------------------------------------------------------------------


def add_arguments(parser: Parser, messages: Messages) -> None:
    parser.add_argument("written", metavar=messages("profile.words_word"), help=messages("profile.help.written"))
    _about_an_entry(parser, messages)


def add(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.personalize.formats.base import entry_of
    from voice_ime.store.base import Put

    fields = {"written": arguments.written, "source": desk.author.source, **_given(desk, arguments)}
    entry = right(desk, entry_of, fields)
    revision = desk.change([Put(entry)])
    row = {"revision": revision, "entry": entry.model_dump(mode="json")}
    desk.tell(row, "profile.added", entry=desk.entry_sentence(entry), revision=revision)
    return ExitCode.OK


def edit_arguments(parser: Parser, messages: Messages) -> None:
    words = messages("profile.words_word")
    parser.add_argument("entry", metavar=words, help=messages("profile.help.entry"))
    parser.add_argument("--written", metavar=words, help=messages("profile.help.new_written"))
    _about_an_entry(parser, messages)


def edit(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.personalize.formats.base import entry_of
    from voice_ime.store.base import Put

    profile = desk.profile()
    old = _the_entry(desk, profile, arguments.entry)
    if old is None:
        return ExitCode.SOME_FAILED
    given = _given(desk, arguments)
    if arguments.written is not None:
        given["written"] = arguments.written
    entry = right(desk, entry_of, old.model_dump() | given)
    revision = desk.change([Put(entry)], expected=profile.revision)
    row = {"revision": revision, "entry": entry.model_dump(mode="json")}
    desk.tell(row, "profile.changed", entry=desk.entry_sentence(entry), revision=revision)
    return ExitCode.OK


def remove_arguments(parser: Parser, messages: Messages) -> None:
    parser.add_argument("entry", metavar=messages("profile.words_word"), help=messages("profile.help.entry"))


def remove(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.personalize.removing import removal

    profile = desk.profile()
    entry = _the_entry(desk, profile, arguments.entry)
    if entry is None:
        return ExitCode.SOME_FAILED
    revision = desk.change(removal(profile, entry.id), expected=profile.revision)
    row = {"revision": revision, "removed": entry.id}
    desk.tell(row, "profile.removed", entry=desk.entry_sentence(entry), revision=revision)
    return ExitCode.OK


def entries_arguments(parser: Parser, messages: Messages) -> None:
    parser.add_argument(
        "--find", default="", metavar=messages("profile.words_word"), help=messages("profile.help.find")
    )
    parser.add_argument("--tag", default="", metavar=messages("help.name_word"), help=messages("profile.help.find_tag"))


def entries(desk: Desk, arguments: argparse.Namespace) -> int:
    found = [
        entry
        for entry in desk.profile().entries
        if arguments.find.casefold() in entry.written.casefold() and (not arguments.tag or arguments.tag in entry.tags)
    ]
    for entry in found:
        desk.tell(entry.model_dump(mode="json"), "profile.line", line=desk.entry_sentence(entry))
    desk.say("profile.entries_told", count=len(found))
    return ExitCode.OK


# --- rules -----------------------------------------------------------------------------------------------------------


def rule_arguments(parser: Parser, messages: Messages) -> None:
    words = messages("profile.words_word")
    parser.add_argument("heard", nargs="?", metavar=words, help=messages("profile.help.heard"))
    parser.add_argument("write", nargs="?", metavar=words, help=messages("profile.help.write"))
    parser.add_argument("--remove", action="store_true", help=messages("profile.help.rule_remove"))
    parser.add_argument("--match-case", action="store_true", help=messages("profile.help.match_case"))
    parser.add_argument("--language", choices=LANGUAGES, help=messages("profile.help.language"))
    parser.add_argument(
        "--application", default="", metavar=messages("help.name_word"), help=messages("profile.help.application")
    )


def rule(desk: Desk, arguments: argparse.Namespace) -> int:
    """Lists the rules where nothing is given."""
    if arguments.heard is None:
        return _list_rules(desk)
    if arguments.remove:
        return _remove_rule(desk, arguments.heard)
    if arguments.write is None:
        desk.say("profile.rule_incomplete")
        return ExitCode.WRONG_USAGE
    return _put_rule(desk, arguments)


def _list_rules(desk: Desk) -> int:
    rules = desk.profile().rules
    for each in rules:
        desk.tell(each.model_dump(mode="json"), "profile.line", line=desk.rule_sentence(each))
    desk.say("profile.rules_told", count=len(rules))
    return ExitCode.OK


def _put_rule(desk: Desk, arguments: argparse.Namespace) -> int:
    from voice_ime.personalize.formats.base import rule_of
    from voice_ime.personalize.profile import is_instead
    from voice_ime.store.base import Put

    fields = {
        "heard": arguments.heard,
        "write": arguments.write,
        "match_case": arguments.match_case,
        "language": _language(arguments.language),
        "application": arguments.application,
        "source": desk.author.source,
    }
    new = right(desk, rule_of, fields)
    for old in desk.profile().rules:
        if is_instead(new, old):
            new = new.model_copy(update={"id": old.id})
    revision = desk.change([Put(new)])
    row = {"revision": revision, "rule": new.model_dump(mode="json")}
    desk.tell(row, "profile.rule_kept", rule=desk.rule_sentence(new), revision=revision)
    return ExitCode.OK


def _remove_rule(desk: Desk, heard: str) -> int:
    from voice_ime.store.base import Remove

    profile = desk.profile()
    found = [each for each in profile.rules if heard in (each.id, each.heard)]
    found = found or [each for each in profile.rules if each.heard.casefold() == heard.casefold()]
    if len(found) != 1:
        return _not_one(desk, heard, found)
    revision = desk.change([Remove("rule", found[0].id)], expected=profile.revision)
    row = {"revision": revision, "removed": found[0].id}
    desk.tell(row, "profile.rule_removed", rule=desk.rule_sentence(found[0]), revision=revision)
    return ExitCode.OK


# --- what was given --------------------------------------------------------------------------------------------------


def _about_an_entry(parser: Parser, messages: Messages) -> None:
    words, name = messages("profile.words_word"), messages("help.name_word")
    parser.add_argument("--sounds", action="append", metavar=words, help=messages("profile.help.sounds"))
    parser.add_argument("--language", choices=LANGUAGES, help=messages("profile.help.language"))
    parser.add_argument("--strength", choices=STRENGTHS, help=messages("profile.help.strength"))
    parser.add_argument("--application", metavar=name, help=messages("profile.help.application"))
    parser.add_argument("--note", metavar=words, help=messages("profile.help.note"))
    parser.add_argument("--tag", action="append", metavar=name, help=messages("profile.help.tag"))


def _given(desk: Desk, arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields that were asked for; an empty text takes away what was there."""
    given: dict[str, Any] = {}
    for name in ("strength", "application", "note"):
        if (value := getattr(arguments, name)) is not None:
            given[name] = value
    if arguments.language is not None:
        given["language"] = _language(arguments.language)
    if arguments.sounds is not None:
        given["sounds"] = right(desk, _sounds, arguments.sounds)
    if arguments.tag is not None:
        given["tags"] = tuple(tag for tag in arguments.tag if tag)
    return given


def _sounds(texts: list[str]) -> Any:
    from voice_ime.personalize.formats.sounds import read_sound

    return tuple(read_sound(text) for text in texts if text)


def _language(word: str | None) -> str | None:
    return None if word == "both" else word


def right(desk: Desk, make: Any, fields: Any) -> Any:
    """What `make` makes of `fields`. WrongValue."""
    from voice_ime.personalize.formats.base import Unfit
    from voice_ime.personalize.formats.reasons import wrong_value

    try:
        return make(fields)
    except Unfit as error:
        raise wrong_value(error, desk.messages) from None


def _the_entry(desk: Desk, profile: "Profile", words: str) -> "Entry | None":
    """By its id or its written form; None after having said that there is none, or more than one."""
    found = [entry for entry in profile.entries if words in (entry.id, entry.written)]
    found = found or [entry for entry in profile.entries if entry.written.casefold() == words.casefold()]
    if len(found) == 1:
        return found[0]
    _not_one(desk, words, found)
    return None


def _not_one(desk: Desk, words: str, found: "list[Entry] | list[Rule]") -> int:
    if not found:
        desk.tell({"error": "entry_not_found"}, "profile.not_there", words=words)
        return ExitCode.SOME_FAILED
    desk.tell({"error": "several", "ids": [each.id for each in found]}, "profile.several", words=words)
    for each in found:
        desk.say("profile.entry.with_id", entry=desk.sentence(each), id=each.id)
    return ExitCode.SOME_FAILED
