"""Trying a model for sherpa-onnx out in a process of its own, because the library ends the process on a bad one.

    python -m voice_ime.engine.sherpa_check < JSON of SherpaSettings

Exit status 0: it was loaded and heard a second of noise, with a phrase where it takes some.
"""

import subprocess
import sys

import numpy as np

from voice_ime.engine.base import SAMPLE_RATE
from voice_ime.engine.sherpa_folder import ModelFolder, read_folder
from voice_ime.engine.sherpa_model import Model
from voice_ime.settings import SherpaSettings


def check(folder: ModelFolder, settings: SherpaSettings) -> None:
    """ModelDamaged where the model cannot be loaded and used within `settings.check_s`."""
    asked = settings.model_copy(update={"folder": folder.tokens.parent, "kind": folder.kind})
    command = [sys.executable, "-P", "-m", __name__]
    try:
        done = subprocess.run(
            command, input=asked.model_dump_json().encode(), capture_output=True, timeout=settings.check_s
        )
    except subprocess.TimeoutExpired as error:
        raise folder.damaged from error
    if done.returncode != 0:
        raise folder.damaged


def main() -> int:
    settings = SherpaSettings.model_validate_json(sys.stdin.buffer.read())
    model = Model.load(read_folder(settings.folder, settings.kind), settings)
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    for phrases in model.samples_of_phrases():
        hearing = model.recognizer.begin(phrases)
        hearing.accept(noise)
        hearing.end()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
