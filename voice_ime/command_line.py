"""argparse in the person's language: its words, its layout for wide characters, its complaints as plain sentences."""

import argparse
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from voice_ime.commands import ExitCode
from voice_ime.messages import Messages

Fill = Callable[["Parser"], None]

_COMPLAINTS = (
    ("usage.required", r"the following arguments are required: (?P<names>.*)"),
    ("usage.unknown", r"unrecognized arguments: (?P<words>.*)"),
    ("usage.command", r"argument [^-].*?: invalid choice: (?P<value>.*?) \(choose from (?P<choices>.*)\)"),
    ("usage.choice", r"argument (?P<option>.*?): invalid choice: (?P<value>.*?) \(choose from (?P<choices>.*)\)"),
    ("usage.number", r"argument (?P<option>.*?): invalid (?:int|float) value: (?P<value>.*)"),
    ("usage.value_needed", r"argument (?P<option>.*?): expected (?:one|at least one) argument"),
    ("usage.no_value", r"argument (?P<option>.*?): ignored explicit argument .*"),
    ("usage.together", r"argument (?P<option>.*?): not allowed with argument (?P<other>.*)"),
    ("usage.other", r"(?P<detail>.*)"),
)
"""What argparse complains about, by its English sentences, which are all it gives; the last row takes the rest."""

_WRONG_VALUES = (
    ("setting.at_most", r"Input should be less than or equal to (?P<limit>\S+)"),
    ("setting.at_least", r"Input should be greater than or equal to (?P<limit>\S+)"),
    ("setting.below", r"Input should be less than (?P<limit>\S+)"),
    ("setting.above", r"Input should be greater than (?P<limit>\S+)"),
    ("setting.unknown", r"Extra inputs are not permitted"),
    ("setting.whole_number", r"Input should be a valid integer.*"),
    ("setting.number", r"Input should be a valid number.*"),
    ("setting.text", r"Input should be a valid string.*"),
    ("setting.boolean", r"Input should be a valid boolean.*"),
    ("setting.list", r"Input should be a valid (?:tuple|list).*"),
    ("setting.table", r"Input should be a valid (?:dictionary|mapping).*"),
    ("setting.text", r"Input is not a valid path.*"),
    ("setting.pattern", r"String should match pattern.*"),
    ("setting.missing", r"Field required"),
    ("setting.twice", r"Value error, (?P<name>.*) is the name of two engines"),
    ("setting.no_name", r"Value error, no engine can be called (?P<name>.*)"),
    ("setting.choice", r"Input should be (?P<choices>'.*')"),
    ("setting.syntax", r".* \(at line (?P<line>\d+), column (?P<column>\d+)\)"),
    ("setting.syntax_at_end", r".* \(at end of document\)"),
    ("setting.no_file", r"\[Errno 2\].*"),
    ("setting.system", r"\[Errno \d+\] (?P<reason>.*?)(?:: .*)?"),
)
"""What is wrong with a setting, by the English sentences of pydantic and the system."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that speaks the language of `messages`.

    `fill` adds the arguments and is called only if this parser gets something to do: a command is imported only when it
    was chosen.
    """

    def __init__(self, *, messages: Messages, fill: Fill | None = None, **kwargs: Any) -> None:
        def formatter(prog: str) -> argparse.HelpFormatter:
            return _Formatter(prog, messages)

        super().__init__(add_help=False, allow_abbrev=False, formatter_class=formatter, **kwargs)
        self.messages = messages
        self._fill = fill
        self._positionals.title = messages("help.positionals")
        self._optionals.title = messages("help.options")
        self.add_argument("-h", "--help", action="help", help=messages("help.help"))

    def add_actions(self, title: str, dest: str, word: str, actions: Iterable[tuple[str, str, Fill]]) -> None:
        """One of several words must follow. For each: the word, its sentence, and what fills its parser."""
        choice = self.add_subparsers(title=title, dest=dest, metavar=word, required=True, parser_class=Parser)
        for name, sentence, fill in actions:
            choice.add_parser(name, help=sentence, description=sentence, messages=self.messages, fill=fill)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._fill is not None:
            fill, self._fill = self._fill, None
            fill(self)
        return super().parse_known_args(args, namespace)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Unlike argparse's own, says so where it cannot write."""
        print(message, end="", file=file or sys.stderr)

    def error(self, message: str) -> NoReturn:
        """Say in two sentences what is wrong and end with WRONG_USAGE."""
        print(complaint(message, self.messages), file=sys.stderr)
        print(self.messages("usage.remedy", command=self.prog), file=sys.stderr)
        raise SystemExit(ExitCode.WRONG_USAGE)


def complaint(message: str, messages: Messages) -> str:
    """argparse's English sentence as one of ours."""
    return _first_match(_COMPLAINTS, message, messages)


def wrong_value(detail: str, messages: Messages) -> str:
    """What is wrong with a setting in the person's language; where it is nothing common, `detail` as it is."""
    return _first_match(_WRONG_VALUES, detail, messages)


def _first_match(table: Sequence[tuple[str, str]], english: str, messages: Messages) -> str:
    for key, pattern in table:
        if match := re.fullmatch(pattern, english, re.DOTALL):
            return messages(key, **{name: _value(name, text) for name, text in match.groupdict().items()})
    return english


def _value(name: str, text: str) -> str | tuple[str, ...]:
    bare = _unquoted(text)
    return tuple(re.split(", | or ", bare)) if name in ("choices", "names") else bare


def _unquoted(text: str) -> str:
    return re.sub(r"'([^']*)'", r"\1", text)


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str, messages: Messages) -> None:
        super().__init__(prog, max_help_position=28)
        self._messages = messages

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, self._messages("help.usage") if prefix is None else prefix)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = [line for paragraph in text.splitlines() for line in wrapped(paragraph, width - len(indent)) or [""]]
        return "\n".join(indent + line for line in lines)


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns: broken at blanks and between Han characters (two columns)."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and columns(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() else lines


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _pieces(text: str) -> Sequence[str]:
    """What must stay on one line: a word and its blank, a character and the punctuation that may not begin a line."""
    return re.findall(r"[ᄀ-￮][，。：；、！？）」』】]*|[^\sᄀ-￮]+[，。：；、！？）」』】]*\s*|\s+", text)
