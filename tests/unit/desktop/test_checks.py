"""The doctor on desktops that are well and on desktops that are not."""

import array
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from voice_ime_desktop.checks import PACKAGES, ROWS, DesktopFacts, examine_desktop, microphone_level
from voice_ime_desktop.level import Level, level_of
from voice_ime_desktop.this_desktop import ThisDesktop

from voice_ime.commands import ExitCode
from voice_ime.doctor import Finding, exit_code, last_line, lines
from voice_ime.errors import DesktopUnavailable
from voice_ime.messages import Messages

EN = Messages("en")
WELL = {
    "DISPLAY": ":0",
    "XDG_RUNTIME_DIR": "/run/user/7",
    "GTK_IM_MODULE": "ibus",
    "QT_IM_MODULE": "ibus",
    "XMODIFIERS": "@im=ibus",
}


@dataclass
class FakeDesktop(DesktopFacts):
    """Well in every respect, but for what the test says."""

    variables: Mapping[str, str] | None = None
    """The environment; None: one that is well."""
    talk_key: str = "Pause"
    socket_folder: Path = Path("/run/user/7/voice-ime")
    missing: Sequence[str] = ()
    programs: Sequence[str] = ("ibus-daemon",)
    display: bool = True
    accessible: bool | None = True
    """None: the service does not answer."""
    ibus: bool = True
    speech: bool = True
    plays: str = "paplay"
    reader: str = "Orca"
    private: bool = True
    keys: Sequence[str] = ("Pause", "Control_R", "F9")

    @property
    def environment(self) -> Mapping[str, str]:
        return WELL if self.variables is None else self.variables

    def missing_packages(self, packages: Sequence[str]) -> Sequence[str]:
        return [package for package in packages if package in self.missing]

    def install_command(self, packages: Sequence[str]) -> str:
        return f"pip install {' '.join(packages)}"

    def has_program(self, name: str) -> bool:
        return name in self.programs

    def ask_display(self) -> None:
        if not self.display:
            raise DesktopUnavailable("display", "no answer")

    def accessibility_was_on(self) -> bool:
        if self.accessible is None:
            raise DesktopUnavailable("accessibility", "no answer")
        return self.accessible

    def input_method_answers(self) -> bool:
        return self.ibus

    def speech_answers(self) -> bool:
        return self.speech

    def player(self) -> str:
        return self.plays

    def screen_reader(self) -> str:
        return self.reader

    def socket_folder_is_private(self) -> bool:
        return self.private

    def has_key(self, name: str) -> bool:
        return name in self.keys

    def a_good_key(self) -> str:
        return "Pause" if "Pause" in self.keys else ""


def findings(desktop: FakeDesktop, messages: Messages = EN) -> dict[str, Finding]:
    return {row.name: one for row, one in examine_desktop(desktop, messages)}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in WELL.items() if name not in names}


def test_on_a_desktop_that_is_well_every_part_is_named_and_nothing_needs_to_be_done() -> None:
    found = findings(FakeDesktop())
    assert list(found) == [row.name for row in ROWS]
    assert {one.status for one in found.values()} == {"ok"}
    assert found["screen_reader"].message == "The screen reader Orca is running."


def test_without_a_desktop_it_is_said_once_that_none_is_needed() -> None:
    found = findings(FakeDesktop(variables={}))
    assert found == {"display": Finding("ok", "There is no desktop here. Dictating in a terminal needs none.")}


NOT_WELL = [
    (FakeDesktop(missing=PACKAGES), "desktop_packages"),
    (FakeDesktop(display=False), "display"),
    (FakeDesktop(variables={"WAYLAND_DISPLAY": "wayland-0"}), "display"),
    (FakeDesktop(accessible=None), "accessibility"),
    (FakeDesktop(private=False), "permissions"),
    (FakeDesktop(talk_key="Scroll_Lock"), "talk_key"),
    (FakeDesktop(keys=()), "talk_key"),
]


@pytest.mark.parametrize(("desktop", "name"), NOT_WELL)
def test_what_keeps_from_dictating_into_windows_is_told_with_the_next_step(desktop: FakeDesktop, name: str) -> None:
    found = list(examine_desktop(desktop, EN))
    failed = {row.name: one for row, one in found if one.status != "ok"}
    assert {name: one.status for name, one in failed.items()} == {name: "failed"}
    assert failed[name].next_step
    assert exit_code(found) == ExitCode.NO_DESKTOP
    assert last_line(found, EN, "voice-ime desktop") == EN("doctor.unwell_desktop", count=1)


WORTH_A_LOOK = [
    (FakeDesktop(variables=WELL | {"WAYLAND_DISPLAY": "wayland-0"}), "display"),
    (FakeDesktop(accessible=False), "accessibility"),
    (FakeDesktop(ibus=False), "input_method"),
    (FakeDesktop(ibus=False, programs=()), "input_method"),
    (FakeDesktop(variables=without("XMODIFIERS")), "input_method"),
    (FakeDesktop(variables=WELL | {"QT_IM_MODULE": "fcitx"}), "input_method"),
    (FakeDesktop(speech=False), "speech"),
    (FakeDesktop(plays=""), "sounds"),
    (FakeDesktop(variables=without("XDG_RUNTIME_DIR")), "permissions"),
    (FakeDesktop(talk_key="Control_R"), "talk_key"),
    (FakeDesktop(talk_key=""), "talk_key"),
]


@pytest.mark.parametrize(("desktop", "name"), WORTH_A_LOOK)
def test_what_is_worth_a_look_does_not_keep_from_dictating(desktop: FakeDesktop, name: str) -> None:
    found = list(examine_desktop(desktop, EN))
    warned = {row.name: one for row, one in found if one.status != "ok"}
    assert {name: one.status for name, one in warned.items()} == {name: "warning"}
    assert warned[name].next_step
    assert exit_code(found) == ExitCode.OK


def test_no_screen_reader_is_no_fault() -> None:
    assert findings(FakeDesktop(reader=""))["screen_reader"] == Finding("ok", "No screen reader is running.")


def test_who_has_set_no_talk_key_is_reminded_of_the_command() -> None:
    found = findings(FakeDesktop(talk_key=""))["talk_key"]
    assert found.message == "No talk key is set."
    assert "voice-ime key toggle" in found.next_step


def test_a_talk_key_that_the_keyboard_lacks_is_answered_with_one_that_it_has() -> None:
    assert "--talk-key Pause" in findings(FakeDesktop(talk_key="F20"))["talk_key"].next_step


def test_a_keyboard_without_a_good_key_is_answered_with_the_command_to_bind() -> None:
    assert "voice-ime key toggle" in findings(FakeDesktop(keys=("a", "b")))["talk_key"].next_step


def test_the_settings_that_do_not_name_the_input_method_are_named() -> None:
    found = findings(FakeDesktop(variables=without("QT_IM_MODULE", "XMODIFIERS")))
    assert found["input_method"].message.endswith("QT_IM_MODULE, XMODIFIERS.")


def test_gnome_tells_gtk_about_the_input_method_in_another_way() -> None:
    desktop = FakeDesktop(variables=without("GTK_IM_MODULE") | {"XDG_CURRENT_DESKTOP": "ubuntu:GNOME"})
    assert findings(desktop)["input_method"].status == "ok"


@pytest.mark.parametrize("desktop", [FakeDesktop(missing=PACKAGES), FakeDesktop(display=False)])
def test_what_cannot_be_asked_is_not_told(desktop: FakeDesktop) -> None:
    assert list(findings(desktop).values())[-1].status == "failed"
    assert len(findings(desktop)) < len(ROWS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_finding_can_be_told_in_both_languages(language: str) -> None:
    messages = Messages(language)
    desktops = [FakeDesktop(variables={}), FakeDesktop(reader=""), *(row[0] for row in (*NOT_WELL, *WORTH_A_LOOK))]
    assert all(lines(one, messages) for desktop in desktops for one in findings(desktop, messages).values())


# --- how loud somebody speaks


def tone(peak: float, seconds: float = 1.0) -> bytes:
    """A peak of 1 is the loudest possible; what is louder is cut off."""
    samples = (peak * math.sin(at / 5) for at in range(round(seconds * 16_000)))
    return array.array("h", (round(32_767 * max(-1, min(1, sample))) for sample in samples)).tobytes()


@pytest.mark.parametrize(
    ("pcm", "judgement"),
    [
        (bytes(96_000), "mute"),
        (b"", "mute"),
        (tone(0.003), "quiet"),
        (tone(0.1), "good"),
        (tone(0.3), "good"),
        (tone(0.9), "loud"),
        (tone(0.1) + tone(2.0, 0.05), "loud"),
        (bytes(64_000) + tone(0.1, 0.5), "good"),
        (tone(0.001, 2.5) + tone(0.1, 0.5), "good"),
    ],
)
def test_the_loud_parts_decide_how_loud_somebody_speaks(pcm: bytes, judgement: str) -> None:
    assert level_of(pcm).judgement == judgement


def test_the_level_is_told_in_decibels() -> None:
    assert microphone_level(level_of(tone(0.1)), EN) == Finding("ok", "The microphone hears you well, at -23 decibels.")


@pytest.mark.parametrize("level", [Level(-math.inf, 0), Level(-50, 0), Level(-3, 0), Level(-20, 0.1)])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_level_that_is_not_good_is_told_with_what_to_do(level: Level, language: str) -> None:
    finding = microphone_level(level, Messages(language))
    assert finding.status == "warning"
    assert finding.next_step


# --- the desktop that we run on


def this_desktop(folder: Path, **environment: str) -> ThisDesktop:
    return ThisDesktop(environment, "unix:path=/nowhere", folder / "voice-ime" / "control.sock", "Pause")


def test_a_machine_without_any_of_it_is_asked_without_harm(tmp_path: Path) -> None:
    desktop = this_desktop(tmp_path, HOME=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path), PATH=str(tmp_path))
    assert not desktop.input_method_answers()
    assert not desktop.speech_answers()
    assert desktop.player() == ""
    assert not desktop.has_program("ibus-daemon")
    for ask in (desktop.ask_display, desktop.accessibility_was_on, desktop.a_good_key):
        with pytest.raises(DesktopUnavailable):
            ask()


def test_a_display_that_is_gone_is_told_and_the_rest_is_left(tmp_path: Path) -> None:
    found = list(examine_desktop(this_desktop(tmp_path, DISPLAY="nowhere", HOME=str(tmp_path)), EN))
    assert [(row.name, one.status) for row, one in found] == [("desktop_packages", "ok"), ("display", "failed")]


def test_a_folder_that_others_can_write_to_is_noticed(tmp_path: Path) -> None:
    desktop = this_desktop(tmp_path)
    assert desktop.socket_folder_is_private()
    (tmp_path / "voice-ime").mkdir()
    os.chmod(tmp_path / "voice-ime", 0o777)
    assert not desktop.socket_folder_is_private()
