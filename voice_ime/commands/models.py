"""`voice-ime models`: which there are, which fits, getting, checking, choosing and removing them."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.errors import ConfigError
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.models.aloud import Voice
    from voice_ime.models.chooser import Chooser
    from voice_ime.models.download import Watcher
    from voice_ime.models.manifest import Model
    from voice_ime.settings import Settings

ACTIONS = ("list", "info", "pull", "verify", "remove", "use")
NAME = "named"
"""Of the argument; "model" is the option of every command that names a folder."""


def add_arguments(parser: Parser, messages: Messages) -> None:
    rows = [(each, messages(f"models.action.{each}"), _fill(each, messages)) for each in ACTIONS]
    parser.add_actions(messages("models.help_actions"), "action", messages("help.command_word"), rows)


def _fill(action: str, messages: Messages) -> Callable[[Parser], None]:
    def fill(parser: Parser) -> None:
        from voice_ime.cli import add_common

        model = messages("models.model_word")
        if action in ("info", "pull", "remove", "use"):
            parser.add_argument(NAME, metavar=model, help=messages("models.help_model"))
        if action == "verify":
            parser.add_argument(NAME, metavar=model, nargs="?", help=messages("models.help_verify_model"))
        if action == "use":
            name = messages("help.name_word")
            parser.add_argument("--as", dest="own_name", metavar=name, help=messages("models.help_as"))
        if action in ("list", "info", "verify"):
            parser.add_argument("--json", action="store_true", help=messages("models.help_json"))
        if action == "pull":
            place = messages("models.place_word")
            parser.add_argument("--from", type=Path, dest="brought", metavar=place, help=messages("models.help_from"))
            parser.add_argument("--trust-anew", action="store_true", help=messages("models.help_trust_anew"))
            speak = argparse.BooleanOptionalAction
            parser.add_argument("--speak", action=speak, help=messages("models.help_speak"))
        add_common(parser, messages)

    return fill


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    from voice_ime.models.chooser import chooser_of

    chooser = chooser_of(settings, arguments.environment)
    chooser.shelf.sweep(but=arguments.named if arguments.action == "pull" else None)
    match arguments.action:
        case "list":
            return _list(chooser, messages, as_json=arguments.json)
        case "info":
            return _info(chooser, arguments, messages)
        case "pull":
            return _pull(chooser, arguments, settings, messages)
        case "verify":
            return _verify(chooser, arguments, messages)
        case "remove":
            return _remove(chooser, arguments, messages)
        case _:
            return _use(chooser, arguments, messages)


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

    model = chooser.manifest.get(arguments.named)
    if arguments.json:
        _print_json(telling.as_json(model, chooser.states(model), chooser.known(model)))
    else:
        lines = telling.details(model, chooser.states(model), chooser.known(model), chooser.network.hub, messages)
        print(*lines, sep="\n")
    return ExitCode.OK


def _pull(chooser: "Chooser", arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    from voice_ime.errors import VoiceImeError
    from voice_ime.models.aloud import say_error

    model = chooser.manifest.get(arguments.named)
    if arguments.trust_anew:
        chooser.shelf.forget_checksums(model)
    next_step = messages("models.use_next", model=model.id)
    with _voice_for_pull(arguments, settings, messages) as voice:
        try:
            pull(chooser, model, messages, arguments.brought, voice)
        except VoiceImeError as error:
            say_error(error, voice, messages)
            raise
        voice.say(next_step)
    print(next_step)
    return ExitCode.OK


def _voice_for_pull(
    arguments: argparse.Namespace, settings: "Settings", messages: Messages
) -> "AbstractContextManager[Voice]":
    """Whoever asks for it hears it; and who has the desktop client running, unless a screen reader reads it anyway."""
    from voice_ime.commands.aloud import client_runs, no_voice, voice_of

    if arguments.speak:
        return voice_of(arguments.environment, messages, even_if_read_out=True)
    if arguments.speak is None and settings.desktop.speech and client_runs(arguments.control_socket):
        return voice_of(arguments.environment, messages)
    return no_voice()


def pull(
    chooser: "Chooser", model: "Model", messages: Messages, brought: Path | None = None, voice: "Voice | None" = None
) -> None:
    """Gets the model and says how far it is: prints it, and tells it to `voice`. What `Puller.pull` raises."""
    from voice_ime.models import telling
    from voice_ime.models.aloud import NoVoice, SpokenProgress, Watchers

    voice = voice or NoVoice()
    try:
        with _shown(model, messages) as shown:
            watcher = Watchers(shown, SpokenProgress(voice, model.name, messages))
            pulled = chooser.puller(watcher).pull(model, brought)
    except KeyboardInterrupt:
        interrupted = messages("models.interrupted", model=model.id)
        print(interrupted, file=sys.stderr)
        voice.say(interrupted)
        raise
    learnt = telling.seen_lines(pulled.learnt, messages)
    for line in learnt:
        print(line)
    for line in learnt[:1]:  # nobody wants to hear checksums
        voice.say(line)
    key = "models.was_here" if pulled.was_there else "models.is_here"
    print(messages(key, name=model.name, folder=pulled.installed.folder))
    voice.say(messages("models.is_here_spoken", name=model.name))


@contextmanager
def _shown(model: "Model", messages: Messages) -> Iterator["Watcher"]:
    """A bar for somebody who looks at a terminal, else lines."""
    from voice_ime.models import telling

    if not _is_looked_at():
        yield telling.SaidProgress(sys.stdout, model.name, messages)
        return
    with closing(telling.BarProgress(sys.stderr, model.name, messages)) as bar:
        yield bar


def _is_looked_at() -> bool:
    """A screen reader would read a bar out at each of its steps."""
    from voice_ime_desktop.this_desktop import SCREEN_READERS, our_programs

    return sys.stderr.isatty() and not any(name in SCREEN_READERS for name in our_programs())


def _verify(chooser: "Chooser", arguments: argparse.Namespace, messages: Messages) -> int:
    named = [chooser.manifest.get(arguments.named)] if arguments.named else chooser.present()
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
    model = chooser.manifest.get(arguments.named)
    chooser.remove(model)
    print(messages("models.removed", name=model.name))
    return ExitCode.OK


def _use(chooser: "Chooser", arguments: argparse.Namespace, messages: Messages) -> int:
    from voice_ime.models.chooser import USUAL

    if arguments.named == USUAL and arguments.own_name is not None:
        return _take_back(chooser, arguments, messages)
    model, own_name = chooser.manifest.get(arguments.named), arguments.own_name
    taken = (USUAL, chooser.settings.engine.name)
    if own_name is not None and (not own_name.strip() or own_name in taken):
        raise ConfigError(where="--as", detail=messages("models.name_taken", taken=taken))
    chooser.use(model, arguments.settings_file, own_name)
    key = "models.used" if own_name is None else "models.used_as"
    print(messages(key, name=model.name, file=arguments.settings_file, own=own_name))
    tell_server(arguments, messages, "changed" if own_name is None else "loaded")
    return ExitCode.OK


def _take_back(chooser: "Chooser", arguments: argparse.Namespace, messages: Messages) -> int:
    """What was chosen with --as."""
    from voice_ime.engine.engines import wanted_by
    from voice_ime.models.use import take_back

    own_name, engine = arguments.own_name, chooser.settings.engine
    if own_name not in engine.others:
        raise ConfigError(where="--as", detail=messages("models.name_unknown", own=own_name))
    if own_name in wanted_by(engine.model_copy(update={"others": {}})):
        raise ConfigError(where="--as", detail=messages("models.name_needed", own=own_name))
    take_back(arguments.settings_file, own_name)
    print(messages("models.taken_back", own=own_name, file=arguments.settings_file))
    tell_server(arguments, messages, "let_go")
    return ExitCode.OK


def tell_server(arguments: argparse.Namespace, messages: Messages, what: str = "changed") -> None:
    """Has a running server read the settings again, and says what it made of it; nothing where none is running.

    `what`: changed, loaded or let_go: what it has done then.
    """
    from voice_ime.models import running
    from voice_ime.settings import load_settings

    settings = load_settings(arguments.settings_file, {})
    told = running.tell_server(settings, arguments.state_folder / "token", messages.language)
    if told is not None:
        changed, said = told
        print(messages(f"models.server.{what}", engine=said) if changed else said)


def offer(
    chooser: "Chooser",
    settings_file: Path,
    messages: Messages,
    ask: Callable[[str], str],
    voice: "Voice | None" = None,
) -> bool:
    """Asks whether the recommended model is to be fetched and used, and does so. What `pull` and `use` raise.

    Asks nothing, and is False, where nothing is recommended or it is in use.
    """
    from voice_ime.models.aloud import NoVoice

    advice, voice = chooser.advice(), voice or NoVoice()
    if advice.model is None or advice.used:
        return False
    name = advice.model.name
    if not _yes(messages("models.ask_use" if advice.here else "models.ask", name=name), ask, voice):
        return False
    if not advice.here:
        pull(chooser, advice.model, messages, voice=voice)
    chooser.use(advice.model, settings_file)
    print(messages("models.used_now", name=name, file=settings_file))
    voice.say(messages("models.used_spoken", name=name))
    return True


def _yes(question: str, ask: Callable[[str], str], voice: "Voice") -> bool:
    answer = "n"
    voice.say(question)
    try:
        answer = ask(f"{question} ").strip().lower()
    except EOFError:
        pass
    finally:
        voice.quiet()
    return answer in ("", "y", "yes", "是", "好")


def first_start(
    arguments: argparse.Namespace,
    settings: "Settings",
    messages: Messages,
    open_voice: "Callable[[], AbstractContextManager[Voice]] | None" = None,
) -> None:
    """Once, and only where the engine does not hear the person's languages: what is recommended, and the offer to get
    it. All is printed, and said to the voice that `open_voice` gives. Dictating starts anyway."""
    mark = arguments.state_folder / "model-offered"
    if arguments.engine or arguments.model or "name" in settings.engine.model_fields_set or mark.exists():
        return
    from voice_ime.commands.aloud import no_voice
    from voice_ime.files import write_atomically
    from voice_ime.models.chooser import chooser_of

    if arguments.language is not None:
        settings = settings.model_copy(update={"languages": (arguments.language,)})
    chooser = chooser_of(settings, arguments.environment)
    if chooser.hears_all():
        return
    write_atomically(mark, b"")
    with (open_voice or no_voice)() as voice:
        _recommend(chooser, arguments.settings_file, messages, voice)


def _recommend(chooser: "Chooser", settings_file: Path, messages: Messages, voice: "Voice") -> None:
    from voice_ime.errors import VoiceImeError
    from voice_ime.models import telling
    from voice_ime.models.aloud import say_error

    def tell(sentence: str) -> None:
        if sentence:
            print(sentence, flush=True)
            voice.say(sentence)

    advice = chooser.advice()
    tell(telling.recommendation(advice, messages))
    if not sys.stdin.isatty():
        tell(telling.next_step(advice, messages))
        return
    done = False
    try:
        done = offer(chooser, settings_file, messages, _typed_now, voice)
    except VoiceImeError as error:
        print(*messages.error(error), sep="\n", flush=True)
        say_error(error, voice, messages)
    if not done:
        tell(telling.next_step(advice, messages, "models.later"))


def _typed_now(question: str) -> str:
    """What is typed from now on: an Enter from before was meant for something else."""
    import termios

    with suppress(termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    return input(question)


def _print_json(tree: Mapping[str, Any]) -> None:
    print(json.dumps(tree, ensure_ascii=False, indent=2))
