"""The doctor on machines that are well and on machines that are not."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from voice_ime.commands import ExitCode
from voice_ime.doctor import (
    PACKAGES,
    ROWS,
    Finding,
    Machine,
    Row,
    as_json,
    examine,
    exit_code,
    last_line,
    lines,
)
from voice_ime.errors import (
    MicrophoneAbsent,
    MicrophoneDenied,
    ModelDamaged,
    ServerEnded,
    VoiceImeError,
)
from voice_ime.machine import ThisMachine
from voice_ime.messages import Messages
from voice_ime.models.chooser import Advice
from voice_ime.models.manifest import read_manifest
from voice_ime.models.recommend import Resources
from voice_ime.settings import ServerSettings, Settings

EN = Messages("en")


@dataclass
class FakeMachine(Machine):
    """Well in every respect, but for what the test says."""

    python: tuple[int, int, int] = (3, 11, 2)
    glibc: tuple[int, int] | None = (2, 36)
    missing: Sequence[str] = ()
    languages: Sequence[str] = ("en",)
    dictated: Sequence[str] = ()
    loud: int = 1200
    free: bool = True
    fits: bool = True
    private: bool | None = True
    megabytes: int = 5000
    port: int = 8765
    token_file: Path = Path("/state/token")
    troubles: dict[str, Exception] = field(default_factory=dict)

    def missing_packages(self, packages: Sequence[str]) -> Sequence[str]:
        return [package for package in packages if package in self.missing]

    def install_command(self, packages: Sequence[str]) -> str:
        return f"pip install {' '.join(packages)}"

    def load_engine(self) -> tuple[str, Sequence[str]]:
        self._maybe("engine")
        return "an-engine", self.languages

    def advice(self) -> Advice:
        self._maybe("recommended")
        fits = read_manifest().get("moonshine-tiny-en") if self.fits else None
        return Advice(fits, ("en",), Resources(2, 24_000, 5000), here=True, used=True)

    def load_detector(self) -> None:
        self._maybe("detector")

    def loudest(self) -> int:
        self._maybe("microphone")
        return self.loud

    def start_server(self) -> float:
        self._maybe("server")
        return 1.04

    def port_is_free(self) -> bool:
        return self.free

    def token_is_private(self) -> bool | None:
        return self.private

    def free_mb(self) -> int:
        return self.megabytes

    def _maybe(self, part: str) -> None:
        if part in self.troubles:
            raise self.troubles[part]


def findings(machine: Machine, messages: Messages = EN) -> list[tuple[Row[Machine], Finding]]:
    return list(examine(machine, messages))


def finding(machine: Machine, name: str, messages: Messages = EN) -> Finding:
    return next(one for row, one in findings(machine, messages) if row.name == name)


def test_on_a_machine_that_is_well_dictating_will_work() -> None:
    found = findings(FakeMachine())
    assert {one.status for _, one in found} == {"ok"}
    assert exit_code(found) == ExitCode.OK
    assert last_line(found, EN, "voice-ime dictate") == "All is well. Start dictating with: voice-ime dictate"


NOT_WELL = [
    (FakeMachine(python=(3, 10, 1)), "python", ExitCode.NO_MODEL),
    (FakeMachine(glibc=(2, 31)), "system", ExitCode.NO_MODEL),
    (FakeMachine(glibc=None), "system", ExitCode.NO_MODEL),
    (FakeMachine(missing=("onnxruntime",)), "packages", ExitCode.NO_MODEL),
    (FakeMachine(troubles={"engine": ModelDamaged(model="m", file="f", command="c")}), "model", ExitCode.NO_MODEL),
    (FakeMachine(troubles={"detector": ModelDamaged(model="m", file="f", command="c")}), "detector", ExitCode.NO_MODEL),
    (FakeMachine(troubles={"server": ServerEnded(status=1)}), "server", ExitCode.NO_SERVER),
    (FakeMachine(troubles={"microphone": MicrophoneDenied()}), "microphone", ExitCode.NO_MICROPHONE),
    (FakeMachine(megabytes=3), "disk", ExitCode.NO_OUTPUT),
]


@pytest.mark.parametrize(("machine", "name", "code"), NOT_WELL)
def test_what_is_not_well_is_told_with_the_next_step(machine: Machine, name: str, code: ExitCode) -> None:
    found = findings(machine)
    failed = [(row.name, one) for row, one in found if one.status != "ok"]
    assert [name for name, _ in failed] == [name]
    assert failed[0][1].status == "failed"
    assert failed[0][1].next_step
    assert exit_code(found) == code
    assert last_line(found, EN, "voice-ime dictate") == "Dictating will not work yet. Points that are not well: 1."


WORTH_A_LOOK = [
    (FakeMachine(python=(3, 14, 0)), "python"),
    (FakeMachine(languages=("zh",)), "model"),
    (FakeMachine(languages=("en",), dictated=("zh", "en")), "model"),
    (FakeMachine(fits=False), "recommended"),
    (FakeMachine(loud=0), "microphone"),
    (FakeMachine(free=False), "port"),
    (FakeMachine(private=False), "token"),
    (FakeMachine(megabytes=150), "disk"),
]


@pytest.mark.parametrize(("machine", "name"), WORTH_A_LOOK)
def test_what_is_worth_a_look_does_not_keep_from_dictating(machine: Machine, name: str) -> None:
    found = findings(machine)
    warned = [(row.name, one) for row, one in found if one.status != "ok"]
    assert [name for name, _ in warned] == [name]
    assert warned[0][1].status == "warning"
    assert warned[0][1].next_step
    assert exit_code(found) == ExitCode.OK
    assert last_line(found, EN, "voice-ime dictate").endswith("Points that may need attention: 1.")


def test_all_missing_packages_are_named_with_the_command_that_brings_them() -> None:
    found = finding(FakeMachine(missing=("av", "numpy")), "packages")
    assert found.message == "Python packages are missing: numpy, av."
    assert "pip install numpy av" in found.next_step


def test_an_engine_of_another_language_is_told_in_ones_own() -> None:
    found = finding(FakeMachine(), "model", Messages("zh"))
    assert found.message == "引擎 an-engine 完好，但只能听懂：英语。"


def test_who_dictates_in_one_language_only_needs_no_engine_for_that_of_the_messages() -> None:
    assert finding(FakeMachine(languages=("zh",), dictated=("zh",)), "model").status == "ok"


def test_many_languages_are_counted() -> None:
    found = finding(FakeMachine(languages=("en", *(f"x{number}" for number in range(98)))), "model")
    assert found.message == "The engine an-engine is whole and hears: 99 languages."


@pytest.mark.parametrize(("missing", "word"), [("program", "apt"), ("service", "pipewire"), ("device", "headset")])
def test_what_is_missing_for_a_microphone_is_said_exactly(missing: str, word: str) -> None:
    found = finding(FakeMachine(troubles={"microphone": MicrophoneAbsent(missing=missing)}), "microphone")
    assert word in found.next_step


def test_a_check_that_breaks_does_not_keep_the_others_from_being_made() -> None:
    found = findings(FakeMachine(troubles={"engine": ImportError("a library is broken")}))
    assert len(found) == len(ROWS)
    broken = next(one for row, one in found if row.name == "model")
    assert broken.status == "failed"
    assert "ImportError" in broken.message
    assert broken.next_step == EN.error(VoiceImeError())[1]


def test_of_several_failures_the_first_gives_the_exit_status() -> None:
    machine = FakeMachine(megabytes=0, troubles={"microphone": MicrophoneDenied()})
    assert exit_code(findings(machine)) == ExitCode.NO_MICROPHONE


def test_what_is_well_is_one_line_and_what_is_not_is_two() -> None:
    assert lines(Finding("ok", "Fine."), EN) == ["Fine."]
    assert lines(Finding("warning", "So so.", "Look."), EN) == ["Attention. So so.", "Look."]
    assert lines(Finding("failed", "Broken.", "Mend."), EN) == ["Not well. Broken.", "Mend."]


def test_for_programs_each_check_has_name_status_message_and_next_step() -> None:
    told = as_json(findings(FakeMachine(missing=PACKAGES)))
    assert [check["name"] for check in told["checks"]] == [row.name for row in ROWS]
    assert all(set(check) == {"name", "status", "message", "next_step"} for check in told["checks"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_finding_can_be_told_in_both_languages(language: str) -> None:
    messages = Messages(language)
    machines = [FakeMachine(private=None), *(row[0] for row in NOT_WELL), *(row[0] for row in WORTH_A_LOOK)]
    assert all(lines(one, messages) for machine in machines for _, one in findings(machine, messages))


def this_machine(folder: Path, port: int = 0) -> ThisMachine:
    return ThisMachine(Settings(server=ServerSettings(port=port)), folder / "token", ())


@pytest.mark.parametrize(("mode", "private"), [(0o600, True), (0o640, False), (0o604, False)])
def test_a_token_that_others_can_read_is_noticed(tmp_path: Path, mode: int, private: bool) -> None:
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(mode)
    assert this_machine(tmp_path).token_is_private() is private


def test_a_token_that_was_not_made_yet_is_no_trouble(tmp_path: Path) -> None:
    assert this_machine(tmp_path / "not" / "there").token_is_private() is None


def test_a_taken_port_is_noticed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert not this_machine(tmp_path, taken.getsockname()[1]).port_is_free()
    assert this_machine(tmp_path).port_is_free()


def test_free_room_is_found_even_where_the_folder_is_still_to_be_made(tmp_path: Path) -> None:
    assert this_machine(tmp_path / "not" / "there").free_mb() > 0


def test_packages_are_looked_up_by_the_names_they_are_installed_by(tmp_path: Path) -> None:
    assert this_machine(tmp_path).missing_packages(("pydantic", "not-a-package-at-all")) == ["not-a-package-at-all"]
