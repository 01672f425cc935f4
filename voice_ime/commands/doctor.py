"""`voice-ime doctor`: whether dictating will work here, and what to do where it will not."""

import argparse
import json
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings


def add_arguments(parser: Parser, messages: Messages) -> None:
    parser.epilog = messages("doctor.help_ending")
    parser.add_argument("--json", action="store_true", help=messages("doctor.help_json"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    from voice_ime.doctor import as_json, examine, exit_code, last_line, lines
    from voice_ime.local_server import same_settings
    from voice_ime.machine import ThisMachine

    machine = ThisMachine(settings, arguments.state_folder / "token", same_settings(arguments))
    findings = []
    for row, finding in examine(machine, messages):
        findings.append((row, finding))
        if not arguments.json:
            print(*lines(finding, messages), sep="\n", flush=True)
    if arguments.json:
        print(json.dumps(as_json(findings), ensure_ascii=False, indent=2), flush=True)
    else:
        print(last_line(findings, messages), flush=True)
    return exit_code(findings)
