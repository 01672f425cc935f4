"""What the actions work with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.personalize.profile import Entry, Profile, Rule
    from voice_ime.settings import Settings
    from voice_ime.store.base import Author, Change, Store


@dataclass(frozen=True)
class Desk:
    store: "Store"
    name: str
    """Of the profile that is worked on."""
    author: "Author"
    messages: Messages
    settings: "Settings"
    as_json: bool

    def profile(self) -> "Profile":
        """As it is now. The usual profile is there, empty, before anything was put into it. ProfileNotFound."""
        from voice_ime.errors import ProfileNotFound
        from voice_ime.personalize.profile import DEFAULT, Profile

        try:
            return self.store.get(self.name)
        except ProfileNotFound:
            if self.name != DEFAULT:
                raise
            return Profile(name=self.name)

    def change(self, changes: "Sequence[Change]", expected: int | None = None) -> int:
        """The number of the revision. The usual profile is made when the first thing is put into it."""
        from voice_ime.errors import ProfileNotFound
        from voice_ime.personalize.profile import DEFAULT

        try:
            return self.store.apply(self.name, changes, self.author, expected)
        except ProfileNotFound:
            if self.name != DEFAULT:
                raise
            self.store.create(self.name)
            return self.store.apply(self.name, changes, self.author, expected)

    def tell(self, row: Mapping[str, Any], key: str, **values: object) -> None:
        """One line: as JSON where that is wanted, else the sentence `key`."""
        print(json.dumps(row, ensure_ascii=False) if self.as_json else self.messages(key, **values))

    def say(self, key: str, **values: object) -> None:
        """A sentence that has no place in JSON."""
        if not self.as_json:
            print(self.messages(key, **values))

    def sentence(self, value: "Entry | Rule") -> str:
        """What a person is told about it."""
        from voice_ime.personalize.profile import Rule

        return self.rule_sentence(value) if isinstance(value, Rule) else self.entry_sentence(value)

    def entry_sentence(self, entry: "Entry") -> str:
        """What a person is told about an entry."""
        from voice_ime.personalize.formats.sounds import write_sound

        parts = [entry.written]
        if entry.sounds:
            between = self.messages("profile.entry.between")
            parts.append(self.messages("profile.entry.sounds", sounds=between.join(map(write_sound, entry.sounds))))
        if entry.language:
            parts.append(self.messages(f"language.{entry.language}"))
        if entry.strength.value != "normal":
            parts.append(self.messages(f"profile.strength.{entry.strength.value}"))
        if entry.application:
            parts.append(self.messages("profile.entry.application", application=entry.application))
        if entry.tags:
            parts.append(
                self.messages("profile.entry.tags", tags=self.messages("profile.entry.between").join(entry.tags))
            )
        if entry.note:
            parts.append(self.messages("profile.entry.note", note=" ".join(entry.note.split())))
        return self.messages("profile.entry.comma").join(parts)

    def rule_sentence(self, rule: "Rule") -> str:
        """What a person is told about a rule."""
        key = "profile.entry.rule" if rule.write else "profile.entry.rule_deletes"
        parts = [self.messages(key, heard=rule.heard, write=visible(rule.write))]
        if rule.language:
            parts.append(self.messages(f"language.{rule.language}"))
        if rule.match_case:
            parts.append(self.messages("profile.entry.match_case"))
        if rule.application:
            parts.append(self.messages("profile.entry.application", application=rule.application))
        if rule.state.value != "active":
            parts.append(self.messages(f"profile.state.{rule.state.value}"))
        return self.messages("profile.entry.comma").join(parts)


def visible(text: str) -> str:
    """On one line, blanks at its ends to be seen."""
    return json.dumps(text, ensure_ascii=False) if text != text.strip() or not text.isprintable() else text
