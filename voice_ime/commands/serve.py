"""`voice-ime serve`: run the recognition server."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from voice_ime.command_line import Parser
from voice_ime.errors import ConfigError
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import ServerSettings, Settings


def add_arguments(parser: Parser, messages: Messages) -> None:
    file = messages("help.file_word")
    parser.add_argument("--host", metavar=messages("help.name_word"), help=messages("serve.host"))
    parser.add_argument("--port", type=int, metavar=messages("help.number_word"), help=messages("serve.port"))
    parser.add_argument("--token-file", type=Path, metavar=file, help=messages("serve.token_file"))
    parser.add_argument("--attached", action="store_true", help=messages("serve.attached"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    server = _with_options(settings.server, arguments)
    from voice_ime.commands.profile import profiles_file
    from voice_ime.server.run import serve

    store = settings.store.model_copy(update={"file": profiles_file(arguments, settings)})
    return serve(
        settings.model_copy(update={"server": server, "store": store}),
        messages,
        attached=arguments.attached,
        token_file=arguments.token_file or arguments.state_folder / "token",
    )


def _with_options(server: "ServerSettings", arguments: argparse.Namespace) -> "ServerSettings":
    """The options on top of the settings, checked by the same rules. ConfigError names the option that is wrong."""
    from pydantic import ValidationError

    given = {name: value for name in ("host", "port") if (value := getattr(arguments, name)) is not None}
    try:
        return type(server).model_validate(server.model_dump() | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(where=f"--{first['loc'][0]}", detail=first["msg"]) from None
