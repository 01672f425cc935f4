"""The one command that fetches and measures models, on tiny ones from a local hub."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.needs import ROOT, needs_package
from tests.server.hub import Hub, serving

needs_package("jiwer")
needs_package("whisper-normalizer", "whisper_normalizer")
needs_package("sherpa-onnx", "sherpa_onnx")
needs_package("faster-whisper", "faster_whisper")
needs_package("moonshine-voice", "moonshine_voice")
needs_package("tomlkit")

import tomlkit  # noqa: E402

from benchmarks.real_models import RECOMMENDED  # noqa: E402
from voice_ime.cli import main  # noqa: E402
from voice_ime.commands import ExitCode  # noqa: E402
from voice_ime.engine.store import MOONSHINE_TINY_EN, checked_files  # noqa: E402
from voice_ime.models.chooser import chooser_of  # noqa: E402
from voice_ime.models.manifest import Manifest, Model  # noqa: E402
from voice_ime.settings import Settings  # noqa: E402

MODELS = ROOT / "tests" / "models"
COMMAND = (sys.executable, "-m", "voice_ime", "bench", "models")


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def model_of(
    name: str, folder: Path, engine: str, source: dict[str, str], language: str = "zh", **settings: Any
) -> Model:
    return Model.model_validate(
        {
            "id": name,
            "name": name,
            "engine": engine,
            "settings": settings,
            "languages": [language],
            "streaming": False,
            "licence": {"name": "MIT", "commercial": "yes"},
            "supports": {},
            "files": [{"name": path.name, "role": "part", "bytes": path.stat().st_size} for path in folder.iterdir()],
            "sources": [source],
        }
    )


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as running:
        yield running


@pytest.fixture
def config(hub: Hub, tmp_path: Path) -> Path:
    """A list of a model at the hub, one in an archive, one of Moonshine at a mirror, one that is gone."""
    transducer, whisper = MODELS / "micro_zh" / "streaming-transducer", MODELS / "whisper_micro"
    hub.add_hub("ann/whisper", files_in(whisper))
    archive = {"kind": "archive", "url": hub.add_archive("transducer.tar.bz2", files_in(transducer))}
    from_hub = {"kind": "hub", "repository": "ann/whisper"}
    moonshine = checked_files(MOONSHINE_TINY_EN, None)[0].parent
    mirror = {"kind": "mirror", "url": hub.add_mirror("moonshine", files_in(moonshine))}
    manifest = Manifest(
        model=(
            model_of("micro-transducer", transducer, "sherpa", archive, kind="streaming-transducer"),
            model_of("micro-whisper", whisper, "whisper", from_hub),
            model_of("moonshine", moonshine, "moonshine-streaming", mirror, "en", kind="tiny"),
            model_of("gone", whisper, "whisper", {"kind": "hub", "repository": "ann/gone"}),
        )
    )
    (tmp_path / "list.toml").write_text(tomlkit.dumps(manifest.model_dump(mode="json", exclude_none=True)))
    file = tmp_path / "settings.toml"
    file.write_text(
        f'[models]\nfolder = "{tmp_path}/models"\ncatalogue = "{tmp_path}/list.toml"\n'
        '[engine.whisper]\ncompute_type = "int8"\nthreads = 1\n'
    )
    return file


def test_the_set_that_is_fetched_has_what_people_are_recommended_and_is_in_the_list() -> None:
    manifest = chooser_of(Settings(), {}).manifest
    models = {model.id: model for model in manifest.model}
    assert {choice.model for choice in manifest.choice} - set(RECOMMENDED) <= {"faster-whisper-medium"}
    assert set(RECOMMENDED) <= set(models)
    streaming = {name for name, model in models.items() if model.engine == "moonshine-streaming"}
    assert len(streaming) == 3
    assert streaming <= set(RECOMMENDED)


def recordings(folder: Path) -> Path:
    said = {"micro_zh/clips/trained-03.ogg": "我朋友知道", "zh-weather.flac": "天气很好"}
    spoken = [("zh", path, text) for path, text in said.items()]
    spoken.append(("en", "en-window.flac", "Open the window, please."))
    rows = [
        {"path": str(MODELS / path), "text": text, "lang": language, "kind": "read", "speaker": path}
        for language, path, text in spoken
    ]
    file = folder / "manifest.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return file


def test_models_are_fetched_and_measured_and_one_that_is_gone_is_a_row_that_says_so(
    hub: Hub, config: Path, tmp_path: Path
) -> None:
    command = [*COMMAND, str(recordings(tmp_path)), "--config", str(config)]
    names = "micro-transducer,micro-whisper,moonshine,gone,nonsense"
    done = subprocess.run(
        [*command, "--models", names, "--table", "--output", str(tmp_path / "figures.json")],
        cwd=ROOT,
        env=dict(os.environ) | {"HF_ENDPOINT": hub.address, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    rows = {row["model"]: row for row in json.loads((tmp_path / "figures.json").read_text("utf-8"))["models"]}
    troubles = {name: row["trouble"] for name, row in rows.items()}
    here = {"micro-transducer": "", "micro-whisper": "", "moonshine": ""}
    assert troubles == here | {"gone": "model_not_there", "nonsense": "model_unknown"}, done.stderr
    assert (rows["moonshine"]["en_recordings"], rows["moonshine"]["zh_recordings"]) == (1, 0)
    assert rows["moonshine"]["en_wer"] < 0.5
    for name in ("micro-transducer", "micro-whisper"):
        assert rows[name]["zh_recordings"] == 2
        assert rows[name]["zh_cer"] is not None
        assert rows[name]["final_ms_p50"] > 0
    assert "| micro-whisper |" in done.stdout
    assert "micro-whisper:\n" in done.stdout
    assert "Getting micro-whisper" in done.stderr


def test_unless_others_are_asked_for_those_that_are_here_are_compared(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "models", str(recordings(tmp_path)), "--config", str(config)]
    assert main(words, environment={"HOME": str(tmp_path)}) == ExitCode.NO_MODEL
    assert "There is no model in the models folder." in capsys.readouterr().err


def test_a_manifest_that_is_not_there_is_told_before_anything_is_fetched(
    hub: Hub, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "models", "nothing.jsonl", "--models", "micro-whisper", "--config", str(config)]
    assert main(words, environment={"HF_ENDPOINT": hub.address}) == ExitCode.WRONG_USAGE
    assert "nothing.jsonl" in capsys.readouterr().err
    assert hub.requests == []
