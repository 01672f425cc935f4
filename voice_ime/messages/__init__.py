"""Everything that is spoken or printed for a person, one catalogue per language."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from voice_ime.errors import VoiceImeError

LANGUAGES = ("en", "zh")


class Messages:
    """The sentences of one language, by key: `messages("dictate.ready", seconds=2)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._texts = _texts(self.language)

    def __call__(self, key: str, /, **values: Any) -> str:
        """The sentence for `key`, filled in. A key that is missing is an error of ours: KeyError."""
        return self._texts[key].format(**values)

    def keys(self) -> set[str]:
        return set(self._texts)

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
