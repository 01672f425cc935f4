"""Nothing leaves the machine, and nothing is left on it that nobody asked for."""

import os
import subprocess
import sys
from pathlib import Path

from tests.needs import needs_package

needs_package("onnxruntime")
needs_package("faster-whisper")

LOAD_A_MODEL = "from voice_ime.engine.speech import SpeechDetector; SpeechDetector(None)"


def test_loading_a_model_leaves_no_trace_of_the_reports_that_onnxruntime_would_send(tmp_path: Path) -> None:
    own = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | own
    subprocess.run([sys.executable, "-c", LOAD_A_MODEL], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
