"""The library moonshine-voice with its own streaming transcriber, on the weights inside its package.

As its examples do it: one transcriber, a stream for each speaker, blocks as they come, listeners. The recorded sound is
not asked back with the text (its `return_audio_data`), which would make long streams slower.
"""

from typing import Any

from moonshine_voice import ModelArch, Transcriber, get_model_path  # type: ignore[import-untyped]
from moonshine_voice.transcriber import LineCompleted, LineTextChanged  # type: ignore[import-untyped]

from benchmarks.peers.base import Told
from voice_ime.engine.base import SAMPLE_RATE, Samples


class MoonshineVoice:
    def __init__(self, model: str | None = None) -> None:
        folder = model or str(get_model_path("tiny-en"))
        self._transcriber = Transcriber(folder, ModelArch.TINY, options={"return_audio_data": "false"})

    def stream(self) -> "MoonshineStream":
        return MoonshineStream(self._transcriber.create_stream())


class MoonshineStream:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._told: list[Told] = []
        self._ended = False
        stream.add_listener(self._listen)
        stream.start()

    def feed(self, samples: Samples) -> list[Told]:
        self._stream.add_audio(samples.tolist(), SAMPLE_RATE)
        return self._take()

    def stop(self) -> list[Told]:
        self._ended = True
        self._stream.stop()
        return self._take()

    def close(self) -> None:
        if not self._ended:
            self._stream.stop()
        self._stream.close()

    def _take(self) -> list[Told]:
        told, self._told = self._told, []
        return told

    def _listen(self, event: Any) -> None:
        line = event.line
        if isinstance(event, LineCompleted) and line.text:
            work_s = line.last_transcription_latency_ms / 1000
            self._told.append(
                Told("final", line.text, str(line.line_id), line.start_time, line.start_time + line.duration, work_s)
            )
        elif isinstance(event, LineTextChanged) and line.text and not line.is_complete:
            self._told.append(Told("partial", line.text, str(line.line_id)))
