"""Is somebody speaking? Silero's detector, frame by frame."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_ime.engine.base import Samples
from voice_ime.engine.onnx import ONNX_ERRORS, open_session
from voice_ime.engine.store import SILERO_V6, checked_file, checked_files
from voice_ime.errors import RecognitionFailed

FRAME = 512
"""Samples that get one probability: 32 ms."""

_CONTEXT = 64
"""Samples before a frame that the model hears with it."""
QUIET = 0.15
"""Below this probability a frame is surely no speech."""
SETTLED = 16
"""After so many quiet frames in a row, half a second, the network is as it should be in silence..."""
REFRESH = 32
"""... and after each further second of silence it is put back to that, because the longer it hears silence, the less it
believes in speech (`benchmarks/long_silence.py`)."""
NOTHING = 1.5 / 32768
"""Samples below this are those of a muted microphone."""
_State = NDArray[np.float32]
"""[1, 1, 128]"""


class SpeechDetector:
    """The loaded model, shared by everyone; safe to use from several threads."""

    def __init__(self, file: Path | None = None) -> None:
        """`file`: Silero's ONNX file; None: the one inside faster-whisper. ModelNotFound, ModelDamaged."""
        path = checked_file(SILERO_V6, SILERO_V6.files[0], file) if file is not None else checked_files(SILERO_V6)[0]
        self._session = open_session(path, threads=1, arena=False)

    @property
    def frame(self) -> int:
        """Samples of one frame."""
        return FRAME

    def stream(self) -> "DetectorStream":
        """A new stream of sound, from silence."""
        return DetectorStream(self)

    def run(self, frame: Samples, hidden: _State, cell: _State) -> tuple[float, _State, _State]:
        """Probability and further state for `frame` [_CONTEXT + FRAME]. RecognitionFailed."""
        try:
            found, hidden, cell = self._session.run(None, {"input": frame[np.newaxis], "h": hidden, "c": cell})
        except ONNX_ERRORS as error:
            raise RecognitionFailed(engine=SILERO_V6.model) from error
        return float(found.item()), hidden, cell


class DetectorStream:
    """One stream of sound going through the detector. Not for two threads at once."""

    def __init__(self, detector: SpeechDetector) -> None:
        self._detector = detector
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._settled = self._hidden, self._cell
        self._quiet = 0
        """Quiet frames in a row, fewer by those that were forgotten."""
        self._pending = np.zeros(_CONTEXT, np.float32)  # the context, then what is no whole frame yet

    def probabilities(self, samples: Samples) -> list[float]:
        """One probability of speech, 0 to 1, for each further whole frame; the rest waits for the next call.

        The same sound gives the same probabilities, however it is cut into calls: that is why frames are not run
        together, which would be twice as quick but round otherwise.
        """
        sound = np.concatenate([self._pending, samples])
        whole = (len(sound) - _CONTEXT) // FRAME * FRAME
        found = [self._probability(sound[first : first + _CONTEXT + FRAME]) for first in range(0, whole, FRAME)]
        self._pending = sound[whole:].copy()
        return found

    def _probability(self, frame: Samples) -> float:
        if self._quiet >= SETTLED and np.abs(frame).max() < NOTHING:
            return 0.0
        probability, self._hidden, self._cell = self._detector.run(frame, self._hidden, self._cell)
        self._quiet = self._quiet + 1 if probability < QUIET else 0
        if self._quiet == SETTLED:
            self._settled = self._hidden, self._cell
        elif self._quiet == SETTLED + REFRESH:
            self._hidden, self._cell = self._settled
            self._quiet = SETTLED
        return probability
