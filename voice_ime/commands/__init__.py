"""The commands, one file each: `add_arguments(parser, messages)` and `run(arguments, settings, messages) -> int`.

Importing a command imports nothing heavy; `run` does. What `run` returns is the exit status, one of `ExitCode`.
"""

from collections.abc import Iterator
from enum import IntEnum

from voice_ime.errors import (
    AccessError,
    AlreadyExists,
    AudioError,
    BadRequest,
    ChangedSince,
    CheckoutNeeded,
    ConfigError,
    DesktopAlreadyRunning,
    DesktopError,
    DesktopNotRunning,
    EngineUnavailable,
    FetchError,
    FileUnreadable,
    ImportEncoding,
    ImportTooLarge,
    ImportUnreadable,
    LanguageNotSupported,
    MicrophoneError,
    ModelBusy,
    ModelComesWith,
    ModelDamaged,
    ModelFolderTaken,
    ModelInUse,
    ModelNotFound,
    ModelNotHere,
    ModelNotUsable,
    ModelUnknown,
    NotConfirmed,
    NotFound,
    NotSwitched,
    Outdated,
    OwnEngineMissing,
    ProfileFull,
    ProtocolError,
    RecognitionFailed,
    ServerError,
    ServerRefused,
    StoreError,
    UnknownEngine,
    UnknownFormat,
    VoiceImeError,
    WrongDate,
    WrongName,
    WrongValue,
)


class ExitCode(IntEnum):
    """What the exit status means. The sentences for `--help` are in the catalogue under [exit]."""

    OK = 0
    SOME_FAILED = 1
    WRONG_USAGE = 2
    NO_MODEL = 3
    NO_SERVER = 4
    NO_MICROPHONE = 5
    NO_OUTPUT = 6
    NO_DESKTOP = 7
    INTERNAL = 70
    INTERRUPTED = 130


_CODES: tuple[tuple[type[VoiceImeError], ExitCode], ...] = (
    (ConfigError, ExitCode.WRONG_USAGE),
    (CheckoutNeeded, ExitCode.WRONG_USAGE),
    (UnknownEngine, ExitCode.WRONG_USAGE),
    (LanguageNotSupported, ExitCode.WRONG_USAGE),
    (EngineUnavailable, ExitCode.NO_MODEL),
    (ModelNotFound, ExitCode.NO_MODEL),
    (ModelDamaged, ExitCode.NO_MODEL),
    (NotSwitched, ExitCode.NO_MODEL),
    (OwnEngineMissing, ExitCode.NO_MODEL),
    (ModelUnknown, ExitCode.WRONG_USAGE),
    (ModelComesWith, ExitCode.WRONG_USAGE),
    (ModelInUse, ExitCode.WRONG_USAGE),
    (ModelNotUsable, ExitCode.WRONG_USAGE),
    (ModelFolderTaken, ExitCode.NO_MODEL),
    (ModelBusy, ExitCode.NO_MODEL),
    (ModelNotHere, ExitCode.NO_MODEL),
    (FetchError, ExitCode.NO_MODEL),
    (RecognitionFailed, ExitCode.SOME_FAILED),
    (MicrophoneError, ExitCode.NO_MICROPHONE),
    (AudioError, ExitCode.SOME_FAILED),
    (ServerError, ExitCode.NO_SERVER),
    (AccessError, ExitCode.NO_SERVER),
    (ProtocolError, ExitCode.NO_SERVER),
    (BadRequest, ExitCode.WRONG_USAGE),
    (WrongValue, ExitCode.WRONG_USAGE),
    (WrongName, ExitCode.WRONG_USAGE),
    (WrongDate, ExitCode.WRONG_USAGE),
    (NotConfirmed, ExitCode.WRONG_USAGE),
    (NotFound, ExitCode.SOME_FAILED),
    (AlreadyExists, ExitCode.SOME_FAILED),
    (Outdated, ExitCode.SOME_FAILED),
    (ChangedSince, ExitCode.SOME_FAILED),
    (ProfileFull, ExitCode.SOME_FAILED),
    (FileUnreadable, ExitCode.SOME_FAILED),
    (ImportUnreadable, ExitCode.SOME_FAILED),
    (ImportEncoding, ExitCode.SOME_FAILED),
    (UnknownFormat, ExitCode.WRONG_USAGE),
    (ImportTooLarge, ExitCode.SOME_FAILED),
    (StoreError, ExitCode.NO_OUTPUT),
    (DesktopNotRunning, ExitCode.NO_SERVER),
    (DesktopAlreadyRunning, ExitCode.NO_SERVER),
    (DesktopError, ExitCode.NO_DESKTOP),
)


def exit_code_of(error: VoiceImeError) -> ExitCode:
    """The exit status of a command that ends with this error; of what a server told: that of its reason."""
    kind = type(error)
    if isinstance(error, ServerRefused):
        kind = next((each for each in _all_kinds() if each.code == error.values.get("code")), kind)
    return exit_code_of_kind(kind)


def exit_code_of_kind(kind: type[VoiceImeError]) -> ExitCode:
    """The exit status that errors of this class stand for; INTERNAL for those that no command ends with."""
    return next((code for above, code in _CODES if issubclass(kind, above)), ExitCode.INTERNAL)


def _all_kinds(above: type[VoiceImeError] = VoiceImeError) -> Iterator[type[VoiceImeError]]:
    for kind in above.__subclasses__():
        yield kind
        yield from _all_kinds(kind)
