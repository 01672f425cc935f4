"""Everything that is spoken or printed for a person, one catalogue per language."""

import errno
import os
import tomllib
from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from voice_ime.errors import Languages, VoiceImeError

LANGUAGES = ("en", "zh")
MOST_NAMED = 6
"""More languages than this are counted, not listed."""


REASONS = {
    os.strerror(getattr(errno, name.upper())): name
    for name in (
        *("enoent", "eacces", "eperm", "erofs", "eisdir", "enotdir", "enametoolong", "enospc", "edquot", "eio"),
        *("emfile", "econnrefused", "econnreset", "etimedout", "enetunreach", "ehostunreach", "eaddrnotavail"),
    )
} | {
    "Name or service not known": "eai_noname",
    "Temporary failure in name resolution": "eai_again",
}
"""Why something failed, as the system says it, in English or whatever: keys under `system`."""


class Messages:
    """The sentences of one language, by key: `messages("dictate.ready", seconds=2)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._texts = _texts(self.language)

    def __call__(self, key: str, /, **values: Any) -> str:
        """The sentence for `key`, filled in; tuples as lists. A key that is missing is an error of ours: KeyError."""
        return self._texts[key].format(**{name: self._told(name, value) for name, value in values.items()})

    def keys(self) -> set[str]:
        return set(self._texts)

    def languages(self, codes: Collection[str]) -> str:
        """The languages of an engine, given as ISO 639-1 codes. Those without a name are told by their codes."""
        if len(codes) > MOST_NAMED:
            return self("language.many", count=len(codes))
        return self._listed(self._texts.get(f"language.{code}", code) for code in codes)

    def _told(self, name: str, value: Any) -> Any:
        match value:
            case Languages():
                return self.languages(value)
            case tuple():
                return self._listed(value)
            case str() if name in ("detail", "reason") and value in REASONS:
                return self(f"system.{REASONS[value]}")
        return value

    def _listed(self, texts: Iterable[str]) -> str:
        return self("list.between").join(texts)

    def error(self, error: VoiceImeError) -> tuple[str, str]:
        """(what is wrong, what to do): two sentences fit to be spoken."""
        key = f"error.{error.code}"
        return self(f"{key}.message", **error.values), self(f"{key}.remedy", **error.values)


def language_of_locale(environment: dict[str, str]) -> str:
    """`zh` or `en`, from the variables that POSIX orders: LC_ALL, LC_MESSAGES, LANG."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


@cache
def _texts(language: str) -> dict[str, str]:
    """Reading a catalogue takes 20 ms: a server would serve nobody meanwhile, each time that it says something."""
    return _flat(tomllib.loads(files(__package__).joinpath(f"{language}.toml").read_text("utf-8")))


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            texts |= _flat(value, f"{prefix}{name}.")
        else:
            texts[f"{prefix}{name}"] = str(value)
    return texts
