"""The one tree of errors.

An error carries a stable `code` and the values its sentence needs; never what was said. The sentences (`message`: what
is wrong, `remedy`: what to do) stand in the message catalogues under `[error.<code>]`, so that each can be spoken in
the person's language.
"""

from collections.abc import Iterable
from typing import ClassVar, Literal

Value = str | int | float | tuple[str, ...]
"""What fills a sentence."""


class Languages(tuple[str, ...]):
    """ISO 639-1 codes, to be told by the names of the languages."""


class VoiceImeError(Exception):
    """Something the person or the caller must know. `values` fill the sentence of the catalogue; several are listed."""

    code: ClassVar[str] = "internal"

    def __init__(self, **values: Value) -> None:
        self.values = values
        details = ", ".join(f"{name}={value!r}" for name, value in values.items())
        super().__init__(f"{self.code}: {details}" if details else self.code)


class ConfigError(VoiceImeError, ValueError):
    """A setting is wrong. Values: `where` (file or option), `detail`."""

    code = "config"


class ManifestWrong(ConfigError):
    """A line of a list of recordings does not describe one. Values: `path`, `line`, `detail` (name of a field)."""

    code = "manifest_wrong"


class NoRecordings(ConfigError):
    """A list of recordings has none that is asked for. Values: `path`, `kinds`, `languages`."""

    code = "no_recordings"


class NoCommonLanguage(ConfigError):
    """Two engines are to hear the same sentences. Values: `live`, `final`, `live_hears` and `final_hears`."""

    code = "no_common_language"

    def __init__(self, *, live: str, final: str, live_hears: Iterable[str], final_hears: Iterable[str]) -> None:
        super().__init__(live=live, final=final, live_hears=Languages(live_hears), final_hears=Languages(final_hears))


class ModelKindUnknown(ConfigError):
    """What kind of model a folder holds cannot be told from its files. Values: `where`, `setting`, `known`."""

    code = "model_kind_unknown"


class CheckoutNeeded(VoiceImeError):
    """What was asked for is not part of the installed package, only of its sources."""

    code = "checkout_needed"


# --- engines ---


class EngineError(VoiceImeError):
    code = "engine"


class EngineUnavailable(EngineError):
    """The library of an engine is not installed. Values: `engine`, `package`."""

    code = "engine_unavailable"


class UnknownEngine(EngineError, LookupError):
    """No engine of that name. Values: `engine`, `known`."""

    code = "engine_unknown"


class ModelNotFound(EngineError, FileNotFoundError):
    """The files of a model are not on this machine. Values: `model`, `where`, `command` (how to get it)."""

    code = "model_not_found"


class ModelDamaged(EngineError):
    """A model file is not what it should be. Values: `model`, `file`, `command` (how to get it again)."""

    code = "model_damaged"


class ModelUnknown(EngineError, LookupError):
    """The list of models has none of that name. Values: `model`, `known`."""

    code = "model_unknown"


class ModelFolderTaken(EngineError):
    """Where the model belongs there is a folder that voice-ime did not make. Values: `model`, `where`."""

    code = "model_folder_taken"


class ModelBusy(EngineError):
    """Another program is fetching, or removing, this very model. Values: `model`."""

    code = "model_busy"


class ModelNotHere(EngineError):
    """The model was never fetched. Values: `model`, `command` (how to get it)."""

    code = "model_not_here"


class ModelComesWith(EngineError):
    """The model is part of a package, not of the models folder. Values: `model`, `command`."""

    code = "model_comes_with"


class ModelInUse(EngineError):
    """The settings name the model, so it is not removed. Values: `model`, `command` (which chooses another one)."""

    code = "model_in_use"


class ModelNotUsable(EngineError):
    """This version has no engine for the model. Values: `model`, `engine`."""

    code = "model_not_usable"


class FetchError(EngineError):
    """A model could not be fetched. Values: `model`."""

    code = "model_not_fetched"


class ModelUnreachable(FetchError, ConnectionError):
    """No place that has the model could be reached. Values: `model`, `where`, `detail`."""

    code = "model_unreachable"


class ModelCut(FetchError, ConnectionError):
    """The download broke off, or stood still, again and again. Values: `model`, `where`."""

    code = "model_cut"


class ModelNotThere(FetchError):
    """A place answers that it does not have the file, or does not give it. Values: `model`, `file`, `where`."""

    code = "model_not_there"


class ModelDiffers(FetchError):
    """What came is not what is known of the file. Values: `model`, `file`, `where`."""

    code = "model_differs"


class ModelIncomplete(FetchError):
    """A folder or archive lacks a file of the model. Values: `model`, `file`, `where`."""

    code = "model_incomplete"


class ArchiveRefused(FetchError):
    """An archive that is damaged or holds what no model needs. Values: `model`, `where`, `member` (may be empty)."""

    code = "archive_refused"


class NotSwitched(EngineError):
    """The engine was not changed. Values: `engine` (which stays), `reason` and `advice` (sentences), `cause` (code)."""

    code = "not_switched"


class OwnEngineMissing(EngineError):
    """A profile asks for an engine that is not loaded; another one hears.

    Values: `engine` (as the profile calls it; perhaps two names), `own` (one name), `command` (which undoes the wish).
    """

    code = "own_engine_missing"


class RecognitionFailed(EngineError):
    """The engine failed on one utterance. Values: `engine`."""

    code = "recognition_failed"


class LanguageNotSupported(EngineError, ValueError):
    """The engine does not hear this language. Values: `language`, `engine`, `known`."""

    code = "language_not_supported"

    def __init__(self, *, language: str | None, engine: str, known: Iterable[str]) -> None:
        super().__init__(language=Languages((str(language),)), engine=engine, known=Languages(known))


# --- sound ---


class AudioError(VoiceImeError):
    code = "audio"


class AudioNotFound(AudioError, FileNotFoundError):
    """Values: `path`."""

    code = "audio_not_found"


class AudioUnreadable(AudioError, OSError):
    """The file may not be read. Values: `path`, `detail`."""

    code = "audio_unreadable"


class UnsupportedAudio(AudioError, ValueError):
    """The file holds no sound that can be read. Values: `path`."""

    code = "audio_unsupported"


class EmptyAudio(AudioError, ValueError):
    """The file holds zero seconds of sound. Values: `path`."""

    code = "audio_empty"


class TruncatedAudio(AudioError, ValueError):
    """The file breaks off: what came before was used. Values: `path`, `seconds`."""

    code = "audio_truncated"


class MicrophoneError(AudioError):
    code = "microphone"


class MicrophoneAbsent(MicrophoneError):
    """No microphone, or no sound service."""

    code = "microphone_absent"


class MicrophoneDenied(MicrophoneError, PermissionError):
    code = "microphone_denied"


class MicrophoneBusy(MicrophoneError):
    code = "microphone_busy"


class MicrophoneSilent(MicrophoneError):
    """The microphone stopped delivering sound while it was open."""

    code = "microphone_silent"


# --- the wire ---


class ProtocolError(VoiceImeError):
    """What came over the wire breaks the rules. `fatal`: the connection ends."""

    code = "protocol"
    fatal: ClassVar[bool] = False


class BadMessage(ProtocolError, ValueError):
    """Not a message of this protocol. Values: `detail` (names of fields only, never contents)."""

    code = "bad_message"


class BadFrame(ProtocolError, ValueError):
    """A binary frame without a whole offset and whole samples. Values: `size` in bytes."""

    code = "bad_frame"


class WrongVersion(ProtocolError):
    """Values: `asked`, `spoken`."""

    code = "wrong_version"
    fatal = True


class WrongSampleRate(ProtocolError, ValueError):
    """Values: `asked`, `spoken` (samples a second)."""

    code = "wrong_sample_rate"
    fatal = True


class OutOfOrder(ProtocolError):
    """A message that cannot come now. Values: `type`."""

    code = "out_of_order"
    fatal = True


class AudioGap(ProtocolError):
    """Sound is missing between two frames. Values: `expected`, `got` (samples)."""

    code = "audio_gap"

    def __init__(self, *, expected: int, got: int) -> None:
        super().__init__(expected=expected, got=got)
        self.expected = expected


class AudioOverlap(ProtocolError):
    """Sound was sent twice; the second copy is not used. Values: `expected`, `got` (samples)."""

    code = "audio_overlap"


class TooLarge(ProtocolError):
    """A message over the limit. Values: `limit` in bytes."""

    code = "too_large"
    fatal = True


class TooFast(ProtocolError):
    """More messages a second than allowed. Values: `limit`."""

    code = "too_fast"
    fatal = True


class TooManyUnkept(ProtocolError):
    """The client does not acknowledge its finals. Values: `limit`."""

    code = "too_many_unkept"
    fatal = True


class HelloTimeout(ProtocolError, TimeoutError):
    """A connection that never said hello. Values: `seconds`."""

    code = "hello_timeout"
    fatal = True


class Replaced(ProtocolError):
    """Another connection took over this session."""

    code = "replaced"
    fatal = True


# --- requests over HTTP ---


class BadRequest(VoiceImeError, ValueError):
    """A request that makes no sense. Values: `detail` (names of its parts only, never contents)."""

    code = "bad_request"


class WrongMethod(BadRequest):
    """This cannot be asked at the address. Values: `allowed`: methods."""

    code = "wrong_method"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(allowed=allowed)
        self.allowed = allowed


class NoSuchAddress(BadRequest, LookupError):
    """Nothing answers there."""

    code = "no_such_address"


class RequestTooLarge(BadRequest):
    """Values: `limit` in bytes."""

    code = "request_too_large"


# --- the desktop ---


class DesktopError(VoiceImeError):
    code = "desktop"


class DesktopUnavailable(DesktopError):
    """A part of the desktop is not to be had here. Values: `part`, `reason`.

    `part` is one word, e.g. display, accessibility, ibus, clipboard, speech. `reason` is for developers: short, nothing
    private.
    """

    code = "desktop_unavailable"

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(part=part, reason=reason)


class KeyMissing(DesktopUnavailable):
    """The keyboard has no key of that name. Values: `part` (key), `reason` (the name)."""

    code = "key_missing"

    def __init__(self, name: str) -> None:
        super().__init__("key", name)


class InsertionFailed(DesktopError):
    """A way certainly put nothing into the field, so another may be tried. Values: `way`."""

    code = "insertion_failed"

    def __init__(self, way: str) -> None:
        super().__init__(way=way)


class InsertionRefused(DesktopError):
    """A way knows that nothing may go into the field. Values: `refusal`."""

    code = "insertion_refused"

    def __init__(self, refusal: Literal["password", "hidden_input", "read_only", "no_text_field", "locked"]) -> None:
        super().__init__(refusal=refusal)
        self.refusal = refusal


class DesktopNotRunning(DesktopError):
    """There is no desktop client that would take a press."""

    code = "desktop_not_running"


class DesktopAlreadyRunning(DesktopError):
    """Another desktop client of this person runs here."""

    code = "desktop_already_running"


# --- server ---


class AccessError(VoiceImeError, PermissionError):
    code = "access"


class WrongToken(AccessError):
    code = "wrong_token"


class ForeignOrigin(AccessError):
    """A web page from elsewhere tried to connect."""

    code = "foreign_origin"


class ServerError(VoiceImeError):
    code = "server"


class ServerFull(ServerError):
    """Values: `limit`."""

    code = "server_full"


class ServerBusy(ServerError):
    """Whoever is being served would have to wait longer if another speaker came."""

    code = "server_busy"


class PortTaken(ServerError, OSError):
    """Values: `host`, `port`."""

    code = "port_taken"


class CannotListen(ServerError, OSError):
    """The system lets nobody listen there. Values: `host`, `port`, `detail` (why)."""

    code = "cannot_listen"


class MeasuredEnded(ServerError):
    """What a benchmark measures has ended in the midst of it. Values: `name`."""

    code = "measured_ended"


class ServerUnreachable(ServerError, ConnectionError):
    """Values: `url`."""

    code = "server_unreachable"


class ServerRefused(ServerError):
    """The server ended the connection for good. Values: its `code`, `message` and `remedy`."""

    code = "server_refused"


class ServerEnded(ServerError):
    """The server that was started here ended again and again. Values: `status`."""

    code = "server_ended"


class StoreError(VoiceImeError, OSError):
    """A file could not be written. Values: `path`, `detail`."""

    code = "store"


class DiskFull(StoreError):
    """Values: `path`."""

    code = "disk_full"


class NoRoom(DiskFull):
    """Known before anything is written. Values: `path`, `needed`, `free` (megabytes)."""

    code = "no_room"


class JournalDamaged(StoreError):
    """The journal of the desktop client is not what it should be. Values: `path`."""

    code = "journal_damaged"


class StoreDamaged(StoreError):
    """The file with the profiles is not what it should be. Values: `path`."""

    code = "store_damaged"


class StoreUnusable(StoreError):
    """The file with the profiles cannot be read or written. Values: `path`, `detail`."""

    code = "store_unusable"


class StoreBusy(StoreError):
    """Another program writes the profiles for too long. Values: `path`."""

    code = "store_busy"


class NewerSchema(StoreError):
    """The file with the profiles was written by a newer version. Values: `path`."""

    code = "newer_schema"


class WordsUnread(StoreError):
    """A person's words cannot be read; dictation goes on without them. Values: `reason` and `advice` (sentences),
    `cause` (code)."""

    code = "words_unread"


class WordsAsBefore(WordsUnread):
    """They were read before and are used as they were then. Values: `reason` and `advice` (sentences), `cause`
    (code)."""

    code = "words_as_before"


class NotFound(StoreError, LookupError):
    """Something that is not, or no longer, kept."""

    code = "not_found"


class ProfileNotFound(NotFound):
    """Values: `profile`."""

    code = "profile_not_found"


class EntryNotFound(NotFound):
    """No entry or rule of that id. Values: `profile`, `id`."""

    code = "entry_not_found"


class RevisionNotFound(NotFound):
    """Values: `profile`, `number`."""

    code = "revision_not_found"


class AlreadyExists(StoreError):
    """What is to be made is there already."""

    code = "already_exists"


class ProfileExists(AlreadyExists):
    """Values: `profile`."""

    code = "profile_exists"


class EntryExists(AlreadyExists):
    """An entry (or rule) with the same written (or heard) form, language and application. Values: `id` of it."""

    code = "entry_exists"


class Outdated(StoreError):
    """The profile was changed meanwhile. Values: `expected`, `revision` (that it has now)."""

    code = "outdated"


class ChangedSince(StoreError):
    """A step cannot be undone because a later one changed the same. Values: `number` of it, `later`."""

    code = "changed_since"


class ProfileFull(StoreError):
    """Values: `limit` (entries or rules of one profile)."""

    code = "profile_full"


class WrongValue(StoreError, ValueError):
    """Something cannot be kept as it is. Values: `where` (name of the field), `detail` (nothing private)."""

    code = "wrong_value"


class WrongName(StoreError, ValueError):
    """A profile cannot have that name."""

    code = "wrong_name"


class WrongDate(StoreError, ValueError):
    """A point in time that cannot be understood."""

    code = "wrong_date"


class NotConfirmed(StoreError):
    """What cannot be undone needs the name once more. Values: `profile`."""

    code = "not_confirmed"


class ImportUnreadable(StoreError, ValueError):
    """A file is not of the format that it is said to be. Values: `format`."""

    code = "import_unreadable"


class FileUnreadable(StoreError):
    """A file of words cannot be opened. Values: `path`, `detail`."""

    code = "file_unreadable"


class ImportEncoding(StoreError, ValueError):
    """The characters of a file cannot be told."""

    code = "import_encoding"


class UnknownFormat(StoreError, ValueError):
    """Values: `known` (the formats that there are)."""

    code = "unknown_format"


class ImportTooLarge(StoreError, ValueError):
    """A list has more bytes or lines than are taken in at once. Values: `megabytes`, `lines`: the most."""

    code = "import_too_large"
