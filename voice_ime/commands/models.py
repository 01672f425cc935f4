"""`voice-ime models`: which there are, which fits, getting, checking, choosing and removing them."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.models.chooser import Chooser
    from voice_ime.models.manifest import Model
    from voice_ime.settings import Settings

ACTIONS = ("list", "info", "pull", "verify", "remove", "use")


def add_arguments(parser: Parser, messages: Messages) -> None:
    choice = parser.add_subparsers(
        title=messages("models.help_actions"),
        dest="action",
        metavar=messages("help.command_word"),
        required=True,
        parser_class=Parser,
    )
    for action in ACTIONS:
        sentence = messages(f"models.action.{action}")
        choice.add_parser(action, help=sentence, description=sentence, messages=messages, fill=_fill(action, messages))


def _fill(action: str, messages: Messages) -> Callable[[Parser], None]:
    def fill(parser: Parser) -> None:
        from voice_ime.cli import add_common

        model = messages("models.model_word")
        if action in ("info", "pull", "remove", "use"):
            parser.add_argument("model", metavar=model, help=messages("models.help_model"))
        if action == "verify":
            parser.add_argument("model", metavar=model, nargs="?", help=messages("models.help_verify_model"))
        if action in ("list", "info", "verify"):
            parser.add_argument("--json", action="store_true", help=messages("models.help_json"))
        if action == "pull":
            place = messages("models.place_word")
            parser.add_argument("--from", type=Path, dest="brought", metavar=place, help=messages("models.help_from"))
            parser.add_argument("--trust-anew", action="store_true", help=messages("models.help_trust_anew"))
        add_common(parser, messages)

    return fill


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    from voice_ime.models.chooser import chooser_of

    chooser = chooser_of(settings, arguments.environment)
    chooser.shelf.sweep(but=arguments.model if arguments.action == "pull" else None)
    match arguments.action:
        case "list":
            return _list(chooser, messages, as_json=arguments.json)
        case "info":
            return _info(chooser, arguments, messages)
        case "pull":
            return _pull(chooser, arguments, messages)
        case "verify":
            return _verify(chooser, arguments, messages)
        case "remove":
            return _remove(chooser, arguments, messages)
        case _:
            status = use(chooser, chooser.manifest.get(arguments.model), arguments.settings_file, messages)
            _tell_server(arguments, messages)
            return status


def _list(chooser: "Chooser", messages: Messages, *, as_json: bool) -> int:
    from voice_ime.models import telling

    models = sorted(chooser.manifest.model, key=lambda model: _rank(chooser.states(model)))
    if as_json:
        _print_json(
            {"models": [telling.as_json(model, chooser.states(model), chooser.known(model)) for model in models]}
        )
        return ExitCode.OK
    for model in models:
        print(telling.line(model, chooser.states(model), messages))
    return ExitCode.OK


def _rank(states: tuple[str, ...]) -> int:
    """What is here comes first, then what is recommended, then what can be used."""
    order = ("used", "here", "recommended")
    return next((place for place, state in enumerate(order) if state in states), 3 + ("not_usable" in states))


def _info(chooser: "Chooser", arguments: argparse.Namespace, messages: Messages) -> int:
    from voice_ime.models import telling

    model = chooser.manifest.get(arguments.model)
    if arguments.json:
        _print_json(telling.as_json(model, chooser.states(model), chooser.known(model)))
    else:
        print(*telling.details(model, chooser.states(model), chooser.known(model), messages), sep="\n")
    return ExitCode.OK


def _pull(chooser: "Chooser", arguments: argparse.Namespace, messages: Messages) -> int:
    model = chooser.manifest.get(arguments.model)
    if arguments.trust_anew:
        chooser.shelf.forget_checksums(model)
    pull(chooser, model, messages, arguments.brought)
    print(messages("models.use_next", model=model.id))
    return ExitCode.OK


def pull(chooser: "Chooser", model: "Model", messages: Messages, brought: Path | None = None) -> None:
    """Gets the model and says how far it is. What `Puller.pull` raises."""
    from contextlib import closing, nullcontext

    from voice_ime.models import telling

    bar = telling.BarProgress(sys.stderr, model.name, messages) if sys.stderr.isatty() else None
    said = bar or telling.SaidProgress(sys.stdout, model.name, messages)
    try:
        with closing(bar) if bar is not None else nullcontext():
            pulled = chooser.puller(said).pull(model, brought)
    except KeyboardInterrupt:
        print(messages("models.interrupted", model=model.id), file=sys.stderr)
        raise
    for line in telling.seen_lines(pulled.learnt, messages):
        print(line)
    key = "models.was_here" if pulled.was_there else "models.is_here"
    print(messages(key, name=model.name, folder=pulled.installed.folder))


def _verify(chooser: "Chooser", arguments: argparse.Namespace, messages: Messages) -> int:
    named = [chooser.manifest.get(arguments.model)] if arguments.model else chooser.present()
    results = {model.id: chooser.verify(model) for model in named}
    if arguments.json:
        _print_json(
            {"models": {name: {"damaged": damaged, "whole": damaged is None} for name, damaged in results.items()}}
        )
    for name, damaged in () if arguments.json else results.items():
        print(_verdict(name, damaged, messages))
    if not named and not arguments.json:
        print(messages("models.none_here"))
    return ExitCode.OK if not any(results.values()) else ExitCode.NO_MODEL


def _verdict(name: str, damaged: str | None, messages: Messages) -> str:
    if damaged is None:
        return messages("models.whole", model=name)
    return messages("models.damaged", model=name, file=damaged)


def _remove(chooser: "Chooser", arguments: argparse.Namespace, messages: Messages) -> int:
    model = chooser.manifest.get(arguments.model)
    chooser.remove(model)
    print(messages("models.removed", name=model.name))
    return ExitCode.OK


def use(chooser: "Chooser", model: "Model", settings_file: Path, messages: Messages) -> int:
    """Writes the choice into the settings file and says so. What `Chooser.use` raises."""
    chooser.use(model, settings_file)
    print(messages("models.used", name=model.name, file=settings_file))
    return ExitCode.OK


def _tell_server(arguments: argparse.Namespace, messages: Messages) -> None:
    """Says what a running server made of it; nothing where none is running."""
    from voice_ime.models.running import tell_server
    from voice_ime.settings import load_settings

    settings = load_settings(arguments.settings_file, {})
    told = tell_server(settings, arguments.state_folder / "token", messages.language)
    if told is not None:
        changed, what = told
        print(messages("models.server_changed", engine=what) if changed else what)


def offer(chooser: "Chooser", settings_file: Path, messages: Messages, ask: Callable[[str], str]) -> bool:
    """Asks whether the recommended model is to be fetched and used, and does so. What `pull` and `use` raise.

    Asks nothing, and is False, where nothing is recommended or it is in use.
    """
    advice = chooser.advice()
    if advice.model is None or advice.used or not _yes(ask, messages):
        return False
    if not advice.here:
        pull(chooser, advice.model, messages)
    use(chooser, advice.model, settings_file, messages)
    return True


def _yes(ask: Callable[[str], str], messages: Messages) -> bool:
    from contextlib import suppress

    answer = "n"
    with suppress(EOFError):
        answer = ask(messages("models.ask") + " ").strip().lower()
    return answer in ("", "y", "yes", "是", "好")


def first_start(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> None:
    """Once, and only where the engine does not hear the person's languages: what is recommended, and the offer to get
    it. Dictating starts anyway."""
    mark = arguments.state_folder / "model-offered"
    if arguments.engine or arguments.model or "name" in settings.engine.model_fields_set or mark.exists():
        return
    from voice_ime.errors import VoiceImeError
    from voice_ime.files import write_atomically
    from voice_ime.models import telling
    from voice_ime.models.chooser import chooser_of

    if arguments.language is not None:
        settings = settings.model_copy(update={"languages": (arguments.language,)})
    chooser = chooser_of(settings, arguments.environment)
    if chooser.hears_all():
        return
    write_atomically(mark, b"")
    print(telling.recommendation(chooser.advice(), messages), flush=True)
    if not sys.stdin.isatty():
        print(telling.next_step(chooser.advice(), messages), flush=True)
        return
    try:
        offer(chooser, arguments.settings_file, messages, input)
    except VoiceImeError as error:
        print(*messages.error(error), sep="\n", flush=True)


def _print_json(tree: Mapping[str, Any]) -> None:
    print(json.dumps(tree, ensure_ascii=False, indent=2))
