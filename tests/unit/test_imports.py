"""Importing the package, and asking for help, loads nothing heavy: a thin client and a quick start depend on it."""

import subprocess
import sys

import pytest

HEAVY = (
    "numpy", "onnxruntime", "ctranslate2", "fastapi", "uvicorn", "av", "faster_whisper", "moonshine_voice", "tqdm",
    "pypinyin",
)  # fmt: skip

HELP = """
import contextlib, io
from voice_ime.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main({arguments!r})
"""


def heavy_after(code: str) -> str:
    """The heavy modules that a fresh Python has loaded after `code`."""
    show = f"import sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    "module",
    ["voice_ime", "voice_ime.protocol", "voice_ime.settings", "voice_ime.client", "voice_ime.messages", "voice_ime.cli",
     "voice_ime_desktop", "voice_ime_desktop.microphone", "voice_ime.engine.store"],
)  # fmt: skip
def test_importing_it_loads_nothing_heavy(module: str):
    assert heavy_after(f"import {module}") == ""


@pytest.mark.parametrize(
    "arguments",
    ["--help", "--version", "serve --help", "dictate --help", "transcribe --help", "doctor --help", "models --help"],
)
def test_asking_for_help_loads_nothing_heavy(arguments: str):
    assert heavy_after(HELP.format(arguments=arguments.split())) == ""


def test_looking_at_the_catalogue_of_engines_loads_none():
    assert set(heavy_after("import voice_ime.engine.catalog").split()) <= {"numpy"}
