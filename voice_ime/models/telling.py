"""Models and downloads in words: the lines of `voice-ime models`, and how far a download is."""

import math
import os
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from voice_ime.messages import Messages
from voice_ime.models.manifest import MANY, ArchiveSource, Model, Source
from voice_ime.models.network import without_password
from voice_ime.models.shelf import Seen

if TYPE_CHECKING:
    from voice_ime.models.chooser import Advice

EVERY_S = 20.0
"""A line without a bar is said at least so often..."""
EVERY_PART = 0.1
"""... and for each further part of the model."""


def size(model: Model, messages: Messages) -> str:
    megabytes = model.megabytes
    return messages("models.size_unknown") if megabytes is None else messages("models.size", megabytes=megabytes)


def languages(model: Model, messages: Messages) -> str:
    if MANY in model.languages:
        return messages("models.languages_many")
    return messages.languages(model.languages)


def line(model: Model, states: Collection[str], messages: Messages) -> str:
    """One model in the list. `states`: keys under [models.state], e.g. here, recommended."""
    told = messages(
        "models.line",
        id=model.id,
        name=model.name,
        languages=languages(model, messages),
        size=size(model, messages),
        licence=model.licence.name,
    )
    return _joined([told, *(messages(f"models.state.{state}") for state in states)], messages)


def _joined(sentences: Sequence[str], messages: Messages) -> str:
    return ("" if messages.language == "zh" else " ").join(sentences)


def details(
    model: Model, states: Sequence[str], known: Mapping[str, str | None], hub: str, messages: Messages
) -> list[str]:
    """Everything that is known of one model, a fact a line. `known`: checksums by file; `hub`: its address."""
    lines = [line(model, states, messages)]
    lines.append(messages("models.info_engine", engine=model.engine))
    lines.append(messages(f"models.commercial.{model.licence.commercial}"))
    if model.licence.note:
        lines.append(messages("models.info_note", note=model.licence.note))
    lines.append(messages("models.info_streaming" if model.streaming else "models.info_whole"))
    if model.mixed:
        lines.append(messages("models.info_mixed"))
    lines.append(messages(f"models.biasing.{model.supports.biasing or 'unknown'}"))
    lines += [_ability(name, getattr(model.supports, name), messages) for name in ABILITIES]
    for figure in model.figures:
        what = messages(f"models.figure.{figure.what}", value=f"{figure.value:g}")
        lines.append(messages("models.info_figure", what=what, source=figure.source))
    lines += [_file(file.name, file.bytes, known.get(file.name), messages) for file in model.files]
    if model.about_mb_from:
        lines.append(messages("models.info_size", source=model.about_mb_from))
    if model.checksums_from:
        lines.append(messages("models.info_checksums", source=model.checksums_from))
    return lines + [_source(each, hub, messages) for each in model.sources]


ABILITIES = ("confidence", "punctuation", "word_times")


def _source(source: Source, hub: str, messages: Messages) -> str:
    if isinstance(source, ArchiveSource):
        return messages("models.info_source", source=source.url)
    return messages("models.info_source_of_files", source=f"{source.address(without_password(hub))}/")


def _ability(name: str, has: bool | None, messages: Messages) -> str:
    answer = messages("models.unknown" if has is None else "models.yes" if has else "models.no")
    return messages("models.info_ability", ability=messages(f"models.ability.{name}"), answer=answer)


def _file(name: str, size_bytes: int | None, sha256: str | None, messages: Messages) -> str:
    told = messages("models.size_unknown") if size_bytes is None else messages("models.bytes", bytes=size_bytes)
    return messages("models.info_file", file=name, size=told, sha256=sha256 or messages("models.unknown"))


def as_json(model: Model, states: Collection[str], known: Mapping[str, str | None]) -> dict[str, Any]:
    """For programs: the entry of the list, what is true of it here, and the checksums that count here."""
    return model.model_dump(mode="json") | {
        "megabytes": model.megabytes,
        "states": list(states),
        "known_checksums": dict(known),
    }


def recommendation(advice: "Advice", messages: Messages) -> str:
    """What is recommended and why, in one breath."""
    wanted, model = messages.languages(advice.languages), advice.model
    if model is None:
        return messages("models.none_fits", languages=wanted)
    told = messages(
        "models.recommend",
        languages=wanted,
        cores=advice.resources.cores,
        memory=math.ceil(advice.resources.memory_mb * 1_000_000 / 2**30),  # as it was sold: the system keeps some
        name=model.name,
        size=size(model, messages),
        licence=model.licence.name,
    )
    true = {"used": advice.used, "here": advice.here, "never_run": not model.ran_here}
    return _joined([told, *(messages(f"models.state.{name}") for name, is_so in true.items() if is_so)], messages)


def next_step(advice: "Advice", messages: Messages, key: str = "models.get_it") -> str:
    """The command that follows from the recommendation, in the sentence `key`; empty where there is nothing to do."""
    if advice.model is None:
        return messages(key, command="voice-ime models list")
    if advice.used:
        return ""
    action = "use" if advice.here else "pull"
    return messages(key, command=f"voice-ime models {action} {advice.model.id}")


def seen_lines(files: Mapping[str, str], messages: Messages) -> list[str]:
    """Checksums that were recorded just now."""
    if not files:
        return []
    lines = [messages("models.learnt", count=len(files))]
    return lines + [messages("models.learnt_file", file=name, sha256=sha256) for name, sha256 in files.items()]


def checked(files: Mapping[str, Seen]) -> dict[str, str]:
    return {name: seen.sha256 for name, seen in files.items()}


# --- progress ---------------------------------------------------------------------------------------------------------


class _Said:
    """What both kinds of progress say."""

    def __init__(self, stream: TextIO, name: str, messages: Messages) -> None:
        self._stream = stream
        self._name = name
        self._messages = messages
        self._files: dict[str, int] = {}
        self._total_mb: int | None = None

    def begin(self, megabytes: int | None) -> None:
        self._total_mb = megabytes
        told = self._messages("models.size_unknown" if megabytes is None else "models.size", megabytes=megabytes)
        self._say("models.fetching", name=self._name, size=told)

    def source(self, where: str) -> None:
        self._files.clear()
        self._say("models.from", where=where)

    def again(self, where: str, from_bytes: int) -> None:
        self._say("models.again", where=where, megabytes=from_bytes // 1_000_000)

    def checking(self) -> None:
        pass

    @property
    def _have_mb(self) -> float:
        return sum(self._files.values()) / 1e6

    def _say(self, key: str, **values: Any) -> None:
        with suppress(OSError):  # nobody looks any more: the download goes on
            print(self._messages(key, **values), file=self._stream, flush=True)


class SaidProgress(_Said):
    """Lines, few enough to be listened to."""

    def __init__(self, stream: TextIO, name: str, messages: Messages) -> None:
        super().__init__(stream, name, messages)
        self._next_mb = 0.0
        self._said_at = time.monotonic()

    def at(self, file: str, have: int) -> None:
        self._files[file] = have
        step = max(1.0, (self._total_mb or 200) * EVERY_PART)
        if not self._next_mb:
            self._next_mb = step
        if self._have_mb >= self._next_mb or time.monotonic() - self._said_at >= EVERY_S:
            self._next_mb = (self._have_mb // step + 1) * step
            self._said_at = time.monotonic()
            self._tell()

    def _tell(self) -> None:
        have = round(self._have_mb)
        if self._total_mb is None:
            self._say("models.progress_without_end", have=have)
        else:
            percent = min(100, round(100 * self._have_mb / self._total_mb))
            self._say("models.progress", percent=percent, have=have, total=self._total_mb)


class BarProgress(_Said):
    """A bar, for somebody who looks at a terminal. To be closed."""

    def __init__(self, stream: TextIO, name: str, messages: Messages) -> None:
        super().__init__(stream, name, messages)
        self._bar: Any = None

    def begin(self, megabytes: int | None) -> None:
        from tqdm import tqdm

        super().begin(megabytes)
        columns = os.get_terminal_size(self._stream.fileno()).columns or 80
        self._bar = tqdm(
            total=megabytes, file=self._stream, ncols=columns, nrows=20, mininterval=0.5, leave=False,
            bar_format="{percentage:3.0f}% |{bar}| {n:.0f}/{total_fmt} MB" if megabytes else "{n:.0f} MB",
        )  # fmt: skip

    def at(self, file: str, have: int) -> None:
        self._files[file] = have
        if self._bar is not None:
            self._bar.n = min(self._have_mb, self._bar.total or self._have_mb)  # the total is rounded
            self._bar.update(0)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _say(self, key: str, **values: Any) -> None:
        with self._aside():
            super()._say(key, **values)

    def _aside(self) -> AbstractContextManager[Any]:
        from tqdm import tqdm

        aside: AbstractContextManager[Any] = tqdm.external_write_mode(file=self._stream)
        return aside
