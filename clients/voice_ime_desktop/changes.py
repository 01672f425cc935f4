"""What a profile changed in an utterance, in sentences that are spoken. Pure."""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby

from voice_ime.messages import Messages
from voice_ime.protocol import Change
from voice_ime_desktop.announce.language import language_of
from voice_ime_desktop.review import ENDS


def told(changes: Sequence[Change], messages: Messages) -> list[str]:
    """One sentence for each place, what was written first; a single one where there is nothing to tell."""
    written = [_written(change, messages) for change in changes if change.kind != "offer"]
    return [*written, *_offered(changes, messages)] or [messages("desktop.changes.none")]


def alike(changes: Sequence[Change]) -> list[str]:
    """What differs between words that sound the same, each once: a person must be told how it is written."""
    pairs = [
        (change.heard.strip(ENDS), change.written)
        for change in changes
        if change.kind != "rule" and change.distance == 0
    ]
    return list(dict.fromkeys(chain.from_iterable(_different(*pair) for pair in pairs)))


def _different(heard: str, written: str) -> Iterator[str]:
    """Of Chinese texts the characters."""
    if len(heard) != len(written) or "zh" not in (language_of(heard, ""), language_of(written, "")):
        yield from (heard, written)
        return
    yield from chain.from_iterable(pair for pair in zip(heard, written, strict=True) if pair[0] != pair[1])


def _written(change: Change, messages: Messages) -> str:
    if not change.written:
        return messages("desktop.changes.left_out", heard=change.heard)
    if not any(character.isalnum() for character in change.written):
        return messages("desktop.changes.sign", heard=change.heard)
    return messages("desktop.changes.written", written=change.written, heard=change.heard)


def _offered(changes: Sequence[Change], messages: Messages) -> Iterator[str]:
    offers = [change for change in changes if change.kind == "offer"]
    for (_, _, heard), same in groupby(offers, key=lambda one: (one.first_word, one.last_word, one.heard)):
        others = messages("desktop.changes.or").join(dict.fromkeys(one.written for one in same))
        yield messages("desktop.changes.offered", heard=heard, others=others)
