"""`voice-ime desktop`: speak, and the words are in the window."""

import argparse
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.whose import add_profile, profile_of
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings


def add_arguments(parser: Parser, messages: Messages) -> None:
    key = messages("desktop.help.key_word")
    parser.add_argument("--talk", choices=("hold", "toggle"), help=messages("desktop.help.talk"))
    parser.add_argument("--language", metavar=messages("dictate.language_word"), help=messages("dictate.help_language"))
    add_profile(parser, messages)
    parser.add_argument("--talk-key", metavar=key, help=messages("desktop.help.talk_key"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    import asyncio
    import sys

    from voice_ime_desktop.announce.together import announcer_of
    from voice_ime_desktop.app import App, Place

    from voice_ime.commands.aloud import no_voice, voice_of
    from voice_ime.commands.models import first_start
    from voice_ime.local_server import same_settings

    given = {name: value for name in ("talk", "talk_key") if (value := getattr(arguments, name, None)) is not None}
    desktop = settings.desktop.model_copy(update=given)
    environment = arguments.environment
    first_start(
        arguments,
        settings,
        messages,
        lambda: voice_of(environment, messages) if desktop.speech else no_voice(),
    )
    place = Place(environment, arguments.state_folder, arguments.control_socket)
    announcer = announcer_of(environment, sys.stdout, messages, speech=desktop.speech, sounds=desktop.sounds)

    profile = profile_of(arguments, settings)

    async def dictate() -> None:
        options = same_settings(arguments)
        await App(desktop, messages, place, announcer, options, language=arguments.language, profile=profile).run()

    asyncio.run(dictate())
    return ExitCode.OK
