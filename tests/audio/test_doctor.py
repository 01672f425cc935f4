"""`voice-ime doctor` as a process: on this machine as it is, without a microphone, with a damaged model."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.audio.sound_service import SoundService, needs_sound_service
from tests.audio.terminal import environment, voice_ime
from tests.needs import needs_package

NO_SERVICE = "unix:/nowhere/native"


@pytest.fixture(autouse=True)
def model() -> None:
    for package in ("fastapi", "moonshine-voice", "onnxruntime"):
        needs_package(package)


def doctor(folder: Path, *words: str, sound: str = NO_SERVICE) -> "subprocess.CompletedProcess[str]":
    more = {"PULSE_SERVER": sound, "XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder)}
    more |= {"DISPLAY": "", "WAYLAND_DISPLAY": ""}  # what it says about a desktop is tested elsewhere
    return subprocess.run(
        voice_ime("doctor", *words), env=environment(**more), capture_output=True, text=True, timeout=120
    )


def statuses(told: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    return {check["name"]: check["status"] for check in json.loads(told.stdout)["checks"]}


def test_with_a_microphone_dictating_will_work(tmp_path: Path) -> None:
    needs_sound_service()
    needs_package("miniaudio")
    service = SoundService(tmp_path)
    service.start()
    try:
        told = doctor(tmp_path, "--json", sound=service.environment["PULSE_SERVER"])
    finally:
        service.kill()
    assert told.returncode == 0, told.stdout
    well = {name: status for name, status in statuses(told).items() if name not in ("port", "disk", "microphone")}
    assert set(well.values()) == {"ok"}
    assert statuses(told)["microphone"] == "warning"  # nobody speaks into the virtual one: perfectly silent


def test_without_a_microphone_it_says_what_is_missing(tmp_path: Path) -> None:
    needs_package("miniaudio")
    told = doctor(tmp_path)
    assert told.returncode == 5
    assert "Not well. There is no microphone.\nNo sound service answers." in told.stdout
    assert told.stderr == ""


def test_a_damaged_model_is_told_with_how_to_get_it_again(tmp_path: Path) -> None:
    from voice_ime.engine.store import MOONSHINE_TINY_EN, checked_files

    for file in checked_files(MOONSHINE_TINY_EN):
        shutil.copy(file, tmp_path)
    with (tmp_path / "encoder_model.ort").open("r+b") as file:
        file.write(b"damaged")
    told = doctor(tmp_path, "--json", "--model", str(tmp_path))
    assert told.returncode == 3
    assert statuses(told)["model"] == "failed"
    assert statuses(told)["server"] == "failed"
    checks = {check["name"]: check for check in json.loads(told.stdout)["checks"]}
    assert "pip install" in checks["model"]["next_step"]
    assert checks["server"]["message"] == checks["model"]["message"]
