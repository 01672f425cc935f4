"""`voice-ime doctor`: whether dictating will work here, and what to do where it will not."""

import argparse
import json
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime_desktop.this_desktop import ThisDesktop

    from voice_ime.settings import Settings

SPEAK_S = 3


def add_arguments(parser: Parser, messages: Messages) -> None:
    parser.epilog = messages("doctor.help_ending")
    parser.add_argument("--json", action="store_true", help=messages("doctor.help_json"))
    parser.add_argument("--microphone", action="store_true", help=messages("doctor.help_microphone"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    from voice_ime_desktop.this_desktop import ThisDesktop, session_bus_of

    environment = arguments.environment
    desktop = ThisDesktop(environment, session_bus_of(environment), arguments.control_socket, settings.desktop.talk_key)
    if arguments.microphone:
        return _speak_and_see(desktop, messages)
    return _examine(arguments, settings, desktop, messages)


def _examine(
    arguments: argparse.Namespace, settings: "Settings", desktop: "ThisDesktop", messages: Messages
) -> ExitCode:
    from itertools import chain

    from voice_ime_desktop.checks import examine_desktop, is_a_desktop

    from voice_ime.doctor import as_json, examine, exit_code, last_line, lines
    from voice_ime.local_server import same_settings
    from voice_ime.machine import ThisMachine

    token_file = arguments.state_folder / "token"
    machine = ThisMachine(settings, token_file, same_settings(arguments), arguments.environment)
    findings = []
    for row, finding in chain(examine(machine, messages), examine_desktop(desktop, messages)):
        findings.append((row, finding))
        if not arguments.json:
            print(*lines(finding, messages), sep="\n", flush=True)
    if arguments.json:
        print(json.dumps(as_json(findings), ensure_ascii=False, indent=2), flush=True)
    else:
        command = "voice-ime desktop" if is_a_desktop(desktop.environment) else "voice-ime dictate"
        print(last_line(findings, messages, command), flush=True)
        _offer_model(arguments, settings, messages)
    return exit_code(findings)


def _offer_model(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> None:
    """The recommended model, where somebody sits at a terminal whose languages the present one does not hear."""
    import sys

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    from voice_ime.commands.models import offer, tell_server
    from voice_ime.models.chooser import chooser_of

    chooser = chooser_of(settings, arguments.environment)
    chooser.shelf.sweep()
    if not chooser.hears_all() and offer(chooser, arguments.settings_file, messages, input):
        tell_server(arguments, messages)


def _speak_and_see(desktop: "ThisDesktop", messages: Messages) -> ExitCode:
    from contextlib import suppress

    from voice_ime_desktop.checks import microphone_level
    from voice_ime_desktop.level import level_of

    from voice_ime.doctor import lines
    from voice_ime.machine import heard_by_microphone

    desktop.tell(messages("desktop.level.prepare", seconds=SPEAK_S), messages.language)
    with suppress(EOFError):
        input()
    print(messages("dictate.listening"), flush=True)
    finding = microphone_level(level_of(heard_by_microphone(SPEAK_S)), messages)
    for line in lines(finding, messages):
        desktop.tell(line, messages.language)
    return ExitCode.OK
