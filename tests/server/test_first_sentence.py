"""After "ready" the first sentences are as quick as every other: nothing is left to be loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import ROOT, needs_package

needs_package("faster-whisper")  # brings the detector's model
needs_package("sqlalchemy")
needs_package("alembic")
ENGINES = {"en": "moonshine-voice", "zh": "sherpa-onnx"}


@pytest.mark.parametrize("language", ENGINES)
def test_the_first_sentences_after_ready_wait_for_nothing_to_be_loaded(language: str, tmp_path: Path) -> None:
    needs_package(ENGINES[language])
    command = [sys.executable, "-m", "tests.server.first_sentence", language, str(tmp_path / "profiles.sqlite")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout) == []
