"""faster-whisper on a local model folder, greedy, in int8.

It knows whole recordings only, so it is given our endpoints and partials: the speech detector and rules of the product
around its plain `transcribe`.
"""

from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel  # type: ignore[import-untyped]

from benchmarks.peers.base import Told
from voice_ime.engine.base import SAMPLE_RATE, Capabilities, Engine, Hypothesis, Options, Samples, Utterance
from voice_ime.engine.listener import FinalStep, Listener, PartialStep, Step
from voice_ime.engine.speech import SpeechDetector
from voice_ime.errors import ConfigError
from voice_ime.settings import SpeechSettings


class FasterWhisper:
    def __init__(self, model: str | None = None) -> None:
        """ConfigError where `model` is no folder of a model."""
        if model is None or not Path(model).is_dir():  # a name would be looked for elsewhere
            raise ConfigError(where="--peer-model", detail=str(model))
        try:
            whisper = WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=2, num_workers=2)
        except (RuntimeError, OSError, ValueError) as error:
            raise ConfigError(where="--peer-model", detail=str(error)) from error
        self._engine = _Whole(whisper)
        self._detector = SpeechDetector()

    def stream(self) -> "FasterWhisperStream":
        return FasterWhisperStream(Listener(self._detector, self._engine, Options(language="en"), SpeechSettings()))


class FasterWhisperStream:
    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def feed(self, samples: Samples) -> list[Told]:
        return [told for step in self._listener.accept(samples) for told in _told(step)]

    def stop(self) -> list[Told]:
        return [told for step in self._listener.finalize() for told in _told(step)]

    def close(self) -> None:
        pass


def _told(step: Step) -> list[Told]:
    match step:
        case PartialStep():
            partial = step.run()
            return [Told("partial", partial.text, str(step.start))] if partial and partial.text else []
        case FinalStep():
            text = step.run().text
            start_s, end_s = step.start / SAMPLE_RATE, step.end / SAMPLE_RATE
            return [Told("final", text, str(step.start), start_s, end_s)] if text else []
        case _:
            return []


class _Whole(Engine):
    capabilities = Capabilities(engine="faster-whisper", languages=("en",))

    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    def begin(self, options: Options) -> "_Recording":
        return _Recording(self._model)

    def close(self) -> None:
        pass


class _Recording(Utterance):
    def __init__(self, model: WhisperModel) -> None:
        self._model = model
        self._blocks: list[Samples] = []

    def feed(self, samples: Samples) -> None:
        self._blocks.append(samples)

    def partial(self) -> Hypothesis:
        return self.finish()

    def finish(self) -> Hypothesis:
        sound = np.concatenate([*self._blocks, np.zeros(0, np.float32)])
        segments, _ = self._model.transcribe(sound, language="en", beam_size=1, without_timestamps=True)
        return Hypothesis(" ".join(segment.text.strip() for segment in segments), final=True)

    def cancel(self) -> None:
        self._blocks = []
