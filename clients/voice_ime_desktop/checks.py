"""What the doctor asks about the desktop. One check: a function and a row.

The checks ask a `DesktopFacts`, so that each can be tried on desktops that are not well; `ThisDesktop` is the real one.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from voice_ime.commands import ExitCode
from voice_ime.doctor import Finding, Result, Row, found
from voice_ime.errors import DesktopUnavailable
from voice_ime.messages import Messages
from voice_ime_desktop.level import Level

PACKAGES = ("dbus-fast", "python-xlib")
"""What the desktop client imports, by the names they are installed by."""
WANTED = {"GTK_IM_MODULE": "ibus", "QT_IM_MODULE": "ibus", "XMODIFIERS": "@im=ibus"}
"""Environment variables by which programs choose the input method."""
MODIFIERS = ("Shift", "Control", "Alt", "Meta", "Super", "Hyper", "Caps_Lock", "Num_Lock", "ISO_Level", "Mode_switch")
"""How the X names of such keys begin."""


class DesktopFacts(ABC):
    """What the checks want to know. DesktopUnavailable(part, reason) where something cannot be asked at all."""

    @property
    @abstractmethod
    def environment(self) -> Mapping[str, str]: ...

    @property
    @abstractmethod
    def talk_key(self) -> str:
        """X name of the key that is set; empty: none."""

    @property
    @abstractmethod
    def socket_folder(self) -> Path:
        """Where the socket of the client is made."""

    @abstractmethod
    def missing_packages(self, packages: Sequence[str]) -> Sequence[str]: ...

    @abstractmethod
    def install_command(self, packages: Sequence[str]) -> str: ...

    @abstractmethod
    def has_program(self, name: str) -> bool: ...

    @abstractmethod
    def ask_display(self) -> None:
        """DesktopUnavailable where it does not answer."""

    @abstractmethod
    def accessibility_was_on(self) -> bool:
        """Whether programs had been asked to be accessible. DesktopUnavailable where the service does not answer."""

    @abstractmethod
    def input_method_answers(self) -> bool: ...

    @abstractmethod
    def speech_answers(self) -> bool:
        """Starts the service where that is needed."""

    @abstractmethod
    def player(self) -> str:
        """Name of the program that plays sounds; empty: none."""

    @abstractmethod
    def screen_reader(self) -> str:
        """Name of the one that runs; empty: none."""

    @abstractmethod
    def socket_folder_is_private(self) -> bool:
        """Whether its owner, who is us, alone can write there."""

    @abstractmethod
    def has_key(self, name: str) -> bool:
        """Whether the keyboard has it. DesktopUnavailable."""

    @abstractmethod
    def a_good_key(self) -> str:
        """One to talk with that the keyboard has; empty: none. DesktopUnavailable."""


def is_a_desktop(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


# --- the checks ---


def display(facts: DesktopFacts, messages: Messages) -> Finding:
    name, wayland = facts.environment.get("DISPLAY"), facts.environment.get("WAYLAND_DISPLAY")
    if not name and not wayland:
        return Finding("ok", messages("desktop.check.display_none"))
    if not name:
        return Finding("failed", messages("desktop.check.wayland_only"), messages("desktop.check.wayland_only_step"))
    try:
        facts.ask_display()
    except DesktopUnavailable:
        message = messages("desktop.check.display_dead", display=name)
        return Finding("failed", message, messages("desktop.check.display_dead_step"))
    if wayland:
        return Finding("warning", messages("desktop.check.wayland"), messages("desktop.check.wayland_step"))
    return Finding("ok", messages("desktop.check.display_ok", display=name))


def packages(facts: DesktopFacts, messages: Messages) -> Finding:
    missing = facts.missing_packages(PACKAGES)
    if not missing:
        return Finding("ok", messages("desktop.check.packages_ok"))
    step = messages("doctor.packages_step", command=facts.install_command(missing))
    return Finding("failed", messages("doctor.packages_missing", packages=tuple(missing)), step)


def accessibility(facts: DesktopFacts, messages: Messages) -> Finding:
    try:
        was_on = facts.accessibility_was_on()
    except DesktopUnavailable:
        step = messages("desktop.check.accessibility_none_step")
        return Finding("failed", messages("desktop.check.accessibility_none"), step)
    if was_on:
        return Finding("ok", messages("desktop.check.accessibility_ok"))
    step = messages("desktop.check.accessibility_off_step")
    return Finding("warning", messages("desktop.check.accessibility_off"), step)


def input_method(facts: DesktopFacts, messages: Messages) -> Finding:
    if facts.input_method_answers():
        unset = _not_for_ibus(facts.environment)
        if not unset:
            return Finding("ok", messages("desktop.check.input_method_ok"))
        message = messages("desktop.check.input_method_unused", names=tuple(unset))
        return Finding("warning", message, messages("desktop.check.input_method_step"))
    if facts.has_program("ibus-daemon"):
        step = messages("desktop.check.input_method_step")
        return Finding("warning", messages("desktop.check.input_method_off"), step)
    step = messages("desktop.check.input_method_none_step")
    return Finding("warning", messages("desktop.check.input_method_none"), step)


def speech(facts: DesktopFacts, messages: Messages) -> Finding:
    if facts.speech_answers():
        return Finding("ok", messages("desktop.check.speech_ok"))
    return Finding("warning", messages("desktop.check.speech_none"), messages("desktop.check.speech_none_step"))


def sounds(facts: DesktopFacts, messages: Messages) -> Finding:
    if player := facts.player():
        return Finding("ok", messages("desktop.check.sounds_ok", player=player))
    return Finding("warning", messages("desktop.check.sounds_none"), messages("desktop.check.sounds_none_step"))


def screen_reader(facts: DesktopFacts, messages: Messages) -> Finding:
    """Only told: not everybody who dictates uses one."""
    if name := facts.screen_reader():
        return Finding("ok", messages("desktop.check.screen_reader_ok", name=name))
    return Finding("ok", messages("desktop.check.screen_reader_none"))


def permissions(facts: DesktopFacts, messages: Messages) -> Finding:
    step = messages("desktop.check.permissions_step")
    if not facts.socket_folder_is_private():
        message = messages("desktop.check.permissions_wrong", folder=facts.socket_folder)
        return Finding("failed", message, step)
    if not facts.environment.get("XDG_RUNTIME_DIR"):
        return Finding("warning", messages("desktop.check.permissions_none"), step)
    return Finding("ok", messages("desktop.check.permissions_ok"))


def talk_key(facts: DesktopFacts, messages: Messages) -> Finding:
    key = facts.talk_key
    if not key:
        step = messages("desktop.check.talk_key_bind_step")
        return Finding("warning", messages("desktop.check.talk_key_none"), step)
    other = facts.a_good_key()
    step = (
        messages("desktop.check.talk_key_step", other=other) if other else messages("desktop.check.talk_key_bind_step")
    )
    if not facts.has_key(key):
        return Finding("failed", messages("desktop.check.talk_key_missing", key=key), step)
    if key.startswith(MODIFIERS):
        return Finding("warning", messages("desktop.check.talk_key_modifier", key=key), step)
    return Finding("ok", messages("desktop.check.talk_key_ok", key=key))


def microphone_level(level: Level, messages: Messages) -> Finding:
    decibels = f"{level.decibels:.0f}"
    match level.judgement:
        case "mute":
            return Finding("warning", messages("doctor.microphone_mute"), messages("doctor.microphone_mute_step"))
        case "quiet":
            message = messages("desktop.level.quiet", level=decibels)
            return Finding("warning", message, messages("desktop.level.quiet_step"))
        case "loud":
            message = messages("desktop.level.loud", level=decibels)
            return Finding("warning", message, messages("desktop.level.loud_step"))
        case "good":
            return Finding("ok", messages("desktop.level.good", level=decibels))


def _not_for_ibus(environment: Mapping[str, str]) -> list[str]:
    wanted = dict(WANTED)
    if "GNOME" in environment.get("XDG_CURRENT_DESKTOP", ""):
        del wanted["GTK_IM_MODULE"]  # there GTK is told in another way
    return [name for name, value in wanted.items() if environment.get(name) != value]


ROWS: tuple[Row[DesktopFacts], ...] = (
    Row("desktop_packages", packages, ExitCode.NO_DESKTOP),
    Row("display", display, ExitCode.NO_DESKTOP),
    Row("accessibility", accessibility, ExitCode.NO_DESKTOP),
    Row("input_method", input_method, ExitCode.NO_DESKTOP),
    Row("speech", speech, ExitCode.NO_DESKTOP),
    Row("sounds", sounds, ExitCode.NO_DESKTOP),
    Row("screen_reader", screen_reader, ExitCode.NO_DESKTOP),
    Row("permissions", permissions, ExitCode.NO_DESKTOP),
    Row("talk_key", talk_key, ExitCode.NO_DESKTOP),
)
NEEDED = ("desktop_packages", "display")
"""Rows without which the rest cannot be asked."""


def examine_desktop(facts: DesktopFacts, messages: Messages) -> Iterator[Result]:
    """Each row with what its check found; where there is no desktop, that alone."""
    for row in ROWS if is_a_desktop(facts.environment) else [row for row in ROWS if row.name == "display"]:
        finding = found(row, facts, messages)
        yield row, finding
        if row.name in NEEDED and finding.status == "failed":
            return
