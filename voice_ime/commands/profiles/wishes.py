"""`voice-ime profile preferences`: how a person wants to be heard and written."""

import argparse
from typing import Any

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.profiles.desk import Desk
from voice_ime.messages import Messages

SWITCH = ("on", "off")
LANGUAGES = ("en", "zh")
ANY = "any"
USUAL = "usual"
"""Said in place of the name of an engine."""
EMPTY = {"fuzzy": "none", "language": "any"}
"""What is said where a preference has no value: key of the sentence."""


def preferences_arguments(parser: Parser, messages: Messages) -> None:
    number = messages("help.number_word")
    parser.add_argument("--learn", choices=SWITCH, help=messages("profile.help.learn"))
    parser.add_argument(
        "--fuzzy", action="append", metavar=messages("profile.pair_word"), help=messages("profile.help.fuzzy")
    )
    parser.add_argument("--script", choices=("simplified", "traditional"), help=messages("profile.help.script"))
    parser.add_argument("--latin-spaces", choices=SWITCH, help=messages("profile.help.latin_spaces"))
    parser.add_argument("--endpoint-delay", type=float, metavar=number, help=messages("profile.help.endpoint_delay"))
    parser.add_argument("--language", choices=(*LANGUAGES, ANY), help=messages("profile.help.dictation_language"))
    engine = messages("profile.engine_word")
    parser.add_argument("--own-engine", metavar=engine, help=messages("profile.help.engine"))
    parser.add_argument("--own-final-engine", metavar=engine, help=messages("profile.help.final_engine"))


def preferences(desk: Desk, arguments: argparse.Namespace) -> int:
    """Tells them where nothing is to be changed."""
    from voice_ime.store.base import Put

    profile = desk.profile()
    wanted = _checked(desk, profile.preferences.model_dump() | _given(arguments))
    revision = profile.revision
    if wanted != profile.preferences:
        revision = desk.change([Put(wanted)], expected=profile.revision)
    if desk.as_json:
        desk.tell({"revision": revision, **wanted.model_dump(mode="json")}, "")
        return ExitCode.OK
    for name, value in wanted.model_dump().items():
        desk.say(f"profile.preference.{name}", value=_spoken(desk, name, value))
    return ExitCode.OK


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in ("learn", "latin_spaces"):
        if (value := getattr(arguments, name)) is not None:
            given[name] = value == "on"
    if arguments.fuzzy is not None:
        given["fuzzy"] = tuple(pair for pair in arguments.fuzzy if pair)
    if arguments.script is not None:
        given["script"] = arguments.script
    if arguments.endpoint_delay is not None:
        given["endpoint_delay_s"] = arguments.endpoint_delay or None
    if arguments.language is not None:
        given["language"] = None if arguments.language == ANY else arguments.language
    for name in ("engine", "final_engine"):
        if (value := getattr(arguments, f"own_{name}")) is not None:
            given[name] = "" if value == USUAL else value
    return given


def _checked(desk: Desk, fields: dict[str, Any]) -> Any:
    """WrongValue."""
    from voice_ime.commands.profiles.words import right
    from voice_ime.personalize.formats.base import preferences_of

    return right(desk, preferences_of, fields)


def _spoken(desk: Desk, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return desk.messages("profile.preference.yes" if value else "profile.preference.no")
    if name == "script":
        return desk.messages(f"profile.script.{value}")
    if not value:
        return desk.messages(f"profile.preference.{EMPTY.get(name, 'usual')}")
    if name in ("language", "engine", "final_engine"):
        return str(value)
    if name == "fuzzy":
        return desk.messages("profile.entry.between").join(value)
    return desk.messages("profile.preference.seconds", seconds=f"{value:g}")
