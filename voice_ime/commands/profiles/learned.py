"""`voice-ime profile learned`: what corrections have taught, to be accepted or forgotten."""

import argparse
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.profiles.desk import Desk
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.personalize.learn import Learner
    from voice_ime.personalize.profile import Lesson, Profile


def learned_arguments(parser: Parser, messages: Messages) -> None:
    words = messages("profile.words_word")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--accept", metavar=words, help=messages("profile.help.accept"))
    what.add_argument("--forget", metavar=words, help=messages("profile.help.forget"))


def learned(desk: Desk, arguments: argparse.Namespace) -> int:
    """Lists where nothing is to be done."""
    profile = desk.profile()
    if arguments.accept is None and arguments.forget is None:
        return _list(desk, profile)
    lesson = _the_lesson(desk, profile, arguments.accept or arguments.forget or "")
    if lesson is None:
        return ExitCode.SOME_FAILED
    done = _learner().accept if arguments.accept else _learner().forget
    changes = done(profile, lesson.id).changes
    revision = desk.change(changes, expected=profile.revision) if changes else profile.revision
    key = "profile.learned.accepted" if arguments.accept else "profile.learned.forgotten"
    row = {"revision": revision, "lesson": lesson.id}
    desk.tell(row, key, heard=lesson.heard, written=lesson.written, revision=revision)
    return ExitCode.OK


def _list(desk: Desk, profile: "Profile") -> int:
    for lesson in profile.lessons:
        desk.tell(lesson.model_dump(mode="json"), "profile.line", line="" if desk.as_json else _sentence(desk, lesson))
    desk.say("profile.learned.told", count=len(profile.lessons))
    return ExitCode.OK


def _sentence(desk: Desk, lesson: "Lesson") -> str:
    state = desk.messages(f"profile.state.{lesson.state.value}")
    return desk.messages(
        "profile.learned.line", heard=lesson.heard, written=lesson.written, times=lesson.times, state=state
    )


def _the_lesson(desk: Desk, profile: "Profile", words: str) -> "Lesson | None":
    """By its id, what was heard or what was meant; None after having said that there is none, or more than one."""
    wanted = words.casefold()
    found = [
        each
        for each in profile.lessons
        if words == each.id or wanted in (each.heard.casefold(), each.written.casefold())
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        desk.tell({"error": "lesson_not_found"}, "profile.not_there", words=words)
        return None
    desk.tell({"error": "several", "ids": [each.id for each in found]}, "profile.several", words=words)
    for each in found:
        desk.say("profile.entry.with_id", entry=_sentence(desk, each), id=each.id)
    return None


def _learner() -> "Learner":
    from voice_ime.personalize.chinese_words import ChineseLexicon
    from voice_ime.personalize.learn import Learner
    from voice_ime.personalize.phonetics.english import English
    from voice_ime.personalize.sounds_alike import Ears

    return Learner(Ears(English(), ChineseLexicon()))
