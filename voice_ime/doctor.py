"""Whether dictating will work on this machine, and what to do where it will not. One check: a function and a row.

The checks ask a `Machine`, so that each can be tried on machines that are not well; `ThisMachine` is the real one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from voice_ime import spoken
from voice_ime.commands import ExitCode
from voice_ime.errors import VoiceImeError
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.models.chooser import Advice

Status = Literal["ok", "warning", "failed"]

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
OLDEST_GLIBC = (2, 34)
"""Of the package that holds the embedded model."""
LITTLE_MB, NO_ROOM_MB = 200, 10
PACKAGES = ("pydantic", "websockets", "numpy", "onnxruntime", "fastapi", "uvicorn", "av", "tqdm")
"""What the server and the commands import, by the names they are installed by."""


@dataclass(frozen=True)
class Finding:
    """What one check found. The sentences are fit to be spoken."""

    status: Status
    message: str
    next_step: str = ""
    """What to do; empty where nothing needs to be done."""


class Machine(ABC):
    """What the checks want to know. Methods raise VoiceImeError where something is not well."""

    @property
    @abstractmethod
    def python(self) -> tuple[int, int, int]: ...

    @property
    @abstractmethod
    def glibc(self) -> tuple[int, int] | None:
        """None: another C library."""

    @abstractmethod
    def missing_packages(self, packages: Sequence[str]) -> Sequence[str]:
        """Those that are not installed."""

    @abstractmethod
    def install_command(self, packages: Sequence[str]) -> str: ...

    @abstractmethod
    def load_engine(self) -> tuple[str, Sequence[str]]:
        """The name of the chosen engine and the languages that it hears, after loading it once."""

    @property
    @abstractmethod
    def dictated(self) -> Sequence[str]:
        """Languages in which the person wants to dictate; empty: was not said."""

    @abstractmethod
    def advice(self) -> "Advice":
        """Which model is recommended here."""

    @abstractmethod
    def load_detector(self) -> None: ...

    @abstractmethod
    def loudest(self) -> int:
        """Of the samples that the microphone delivers in half a second: 0 to 32768."""

    @abstractmethod
    def start_server(self) -> float:
        """Seconds until a server was started and a client was connected; it is ended again."""

    @property
    @abstractmethod
    def port(self) -> int: ...

    @abstractmethod
    def port_is_free(self) -> bool: ...

    @property
    @abstractmethod
    def token_file(self) -> Path: ...

    @abstractmethod
    def token_is_private(self) -> bool | None:
        """Whether its owner alone can read the token file; None: there is none."""

    @abstractmethod
    def free_mb(self) -> int: ...


M = TypeVar("M")
"""What a check asks."""
Check = Callable[[M, Messages], Finding]

# --- the checks ---


def python(machine: Machine, messages: Messages) -> Finding:
    version = ".".join(map(str, machine.python))
    if machine.python[:2] < OLDEST_PYTHON:
        return Finding("failed", messages("doctor.python_old", version=version), messages("doctor.python_step"))
    if machine.python[:2] > NEWEST_PYTHON:
        return Finding("warning", messages("doctor.python_new", version=version), messages("doctor.python_step"))
    return Finding("ok", messages("doctor.python_ok", version=version))


def system(machine: Machine, messages: Messages) -> Finding:
    if machine.glibc is None:
        return Finding("failed", messages("doctor.system_other"), messages("doctor.system_step"))
    version = ".".join(map(str, machine.glibc))
    if machine.glibc < OLDEST_GLIBC:
        return Finding("failed", messages("doctor.system_old", version=version), messages("doctor.system_step"))
    return Finding("ok", messages("doctor.system_ok", version=version))


def packages(machine: Machine, messages: Messages) -> Finding:
    missing = machine.missing_packages(PACKAGES)
    if not missing:
        return Finding("ok", messages("doctor.packages_ok"))
    step = messages("doctor.packages_step", command=machine.install_command(missing))
    return Finding("failed", messages("doctor.packages_missing", packages=tuple(missing)), step)


def model(machine: Machine, messages: Messages) -> Finding:
    engine, languages = machine.load_engine()
    known = messages.languages(languages)
    if set(machine.dictated or (messages.language,)) <= set(languages):
        return Finding("ok", messages("doctor.model_ok", engine=engine, languages=known))
    message = messages("doctor.model_language", engine=engine, languages=known)
    return Finding("warning", message, messages("doctor.model_language_step"))


def recommended(machine: Machine, messages: Messages) -> Finding:
    from voice_ime.models.telling import next_step, recommendation

    advice = machine.advice()
    told, step = recommendation(advice, messages), next_step(advice, messages)
    if advice.model is None:
        return Finding("warning", told, step)
    return Finding("ok", f"{told}\n{step}" if step else told, step)


def detector(machine: Machine, messages: Messages) -> Finding:
    machine.load_detector()
    return Finding("ok", messages("doctor.detector_ok"))


def microphone(machine: Machine, messages: Messages) -> Finding:
    if machine.loudest() == 0:
        return Finding("warning", messages("doctor.microphone_mute"), messages("doctor.microphone_mute_step"))
    return Finding("ok", messages("doctor.microphone_ok"))


def server(machine: Machine, messages: Messages) -> Finding:
    return Finding("ok", messages("doctor.server_ok", seconds=f"{machine.start_server():.1f}"))


def port(machine: Machine, messages: Messages) -> Finding:
    if machine.port_is_free():
        return Finding("ok", messages("doctor.port_ok", port=machine.port))
    return Finding("warning", messages("doctor.port_taken", port=machine.port), messages("doctor.port_step"))


def token(machine: Machine, messages: Messages) -> Finding:
    private = machine.token_is_private()
    if private is False:
        step = messages("doctor.token_step", path=machine.token_file)
        return Finding("warning", messages("doctor.token_open"), step)
    return Finding("ok", messages("doctor.token_ok" if private else "doctor.token_none"))


def disk(machine: Machine, messages: Messages) -> Finding:
    free = machine.free_mb()
    if free >= LITTLE_MB:
        return Finding("ok", messages("doctor.disk_ok", free=free))
    status: Status = "failed" if free < NO_ROOM_MB else "warning"
    return Finding(status, messages("doctor.disk_low", free=free), messages("doctor.disk_step"))


@dataclass(frozen=True)
class Row(Generic[M]):
    name: str
    """In the JSON; does not change."""
    check: Check[M]
    exit_code: ExitCode
    """Of the doctor, where this is the first check that failed."""


ROWS: tuple[Row[Machine], ...] = (
    Row("python", python, ExitCode.NO_MODEL),
    Row("system", system, ExitCode.NO_MODEL),
    Row("packages", packages, ExitCode.NO_MODEL),
    Row("model", model, ExitCode.NO_MODEL),
    Row("recommended", recommended, ExitCode.NO_MODEL),
    Row("detector", detector, ExitCode.NO_MODEL),
    Row("server", server, ExitCode.NO_SERVER),
    Row("port", port, ExitCode.NO_SERVER),
    Row("token", token, ExitCode.NO_SERVER),
    Row("microphone", microphone, ExitCode.NO_MICROPHONE),
    Row("disk", disk, ExitCode.NO_OUTPUT),
)


Result = tuple[Row[Any], Finding]


def examine(machine: Machine, messages: Messages) -> Iterator[Result]:
    """Each row with what its check found, one after the other."""
    for row in ROWS:
        yield row, found(row, machine, messages)


def exit_code(findings: Sequence[Result]) -> ExitCode:
    """OK where dictating will work, else that of the first check that failed."""
    return next((row.exit_code for row, finding in findings if finding.status == "failed"), ExitCode.OK)


def lines(finding: Finding, messages: Messages) -> list[str]:
    """A finding as it is spoken."""
    if finding.status == "ok":
        return [finding.message]
    return [messages(f"doctor.{finding.status}", message=finding.message), finding.next_step]


def last_line(findings: Sequence[Result], messages: Messages, command: str) -> str:
    """`command`: the one to dictate with here."""
    failed, warnings = (sum(one.status == status for _, one in findings) for status in ("failed", "warning"))
    if failed:
        in_terminal = exit_code(findings) is ExitCode.NO_DESKTOP  # the desktop comes last
        return messages("doctor.unwell_desktop" if in_terminal else "doctor.unwell", count=failed)
    if warnings:
        return messages("doctor.well_enough", count=warnings, command=command)
    return messages("doctor.well", command=command)


def as_json(findings: Sequence[Result]) -> dict[str, list[dict[str, str]]]:
    checks = [
        {"name": row.name, "status": one.status, "message": one.message, "next_step": one.next_step}
        for row, one in findings
    ]
    return {"checks": checks}


def found(row: Row[M], machine: M, messages: Messages) -> Finding:
    """What the check of this row finds; an error is a finding, too."""
    try:
        return row.check(machine, messages)
    except VoiceImeError as error:
        return Finding("failed", *spoken.what_to_do(error, messages))
    except Exception as error:  # whatever is broken here must not keep the other checks from being made
        message, remedy = messages.error(VoiceImeError())
        return Finding("failed", f"{message} ({row.name}: {type(error).__name__})", remedy)
