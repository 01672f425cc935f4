"""pocketsphinx with the English model inside its package, and its own endpointer."""

from pocketsphinx import Decoder, Endpointer  # type: ignore[import-untyped]

from benchmarks.peers.base import Told
from voice_ime.audio import to_pcm16
from voice_ime.engine.base import Samples


class Pocketsphinx:
    def __init__(self, model: str | None = None) -> None:
        self._options = {"hmm": model} if model else {}

    def stream(self) -> "PocketsphinxStream":
        """A decoder each: it holds the state of one utterance."""
        return PocketsphinxStream(Decoder(loglevel="ERROR", **self._options))


class PocketsphinxStream:
    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._endpointer = Endpointer()
        self._pending = b""
        self._number = 0
        self._shown = ""

    def feed(self, samples: Samples) -> list[Told]:
        self._pending += to_pcm16(samples)
        told: list[Told] = []
        size = self._endpointer.frame_bytes
        while len(self._pending) > size:
            frame, self._pending = self._pending[:size], self._pending[size:]
            before = self._endpointer.in_speech
            told += self._heard(before, self._endpointer.process(frame))
        return told

    def stop(self) -> list[Told]:
        before = self._endpointer.in_speech
        speech = self._endpointer.end_stream(self._pending)
        self._pending = b""
        return self._heard(before, speech)

    def close(self) -> None:
        pass

    def _heard(self, before: bool, speech: bytes | None) -> list[Told]:
        if speech is None:
            return []
        if not before:
            self._decoder.start_utt()
            self._number += 1
            self._shown = ""
        self._decoder.process_raw(speech)
        text = self._text()
        if not self._endpointer.in_speech:
            self._decoder.end_utt()
            text = self._text()
            name, start, end = str(self._number), self._endpointer.speech_start, self._endpointer.speech_end
            return [Told("final", text, name, start, end)] if text else []
        if text == self._shown:
            return []
        self._shown = text
        return [Told("partial", text, str(self._number))]

    def _text(self) -> str:
        found = self._decoder.hyp()
        return found.hypstr if found else ""
