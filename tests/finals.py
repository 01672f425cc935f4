"""Finals as a server would send them."""

from voice_ime import protocol as wire

OFFER = wire.Change(
    kind="offer", first_word=1, last_word=2, heard="kowalsky", written="Kowalski", source="e1",
    distance=0.1, cost=1.0, score=-1.0,
)  # fmt: skip
"""For "ring kowalsky"."""


def word(text: str, confidence: float | None = 1.0, *alternatives: str) -> wire.FinalWord:
    return wire.FinalWord(text=text, start_s=None, end_s=None, confidence=confidence, alternatives=alternatives)


def final(start: int, end: int, text: str) -> wire.Final:
    return wire.Final(
        utterance=f"u{start}",
        start_sample=start,
        end_sample=end,
        decided_sample=end,
        reason="finalize",
        text=text,
        language="en",
        edits=(wire.Insert(text=text),),
        words=(),
        alternatives=(),
        timings=wire.Timings(endpoint_s=None, queue_s=0, detect_s=0, encode_s=0, decode_s=0, final_s=0),
    )
