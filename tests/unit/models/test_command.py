"""voice-ime models, from the command line to the local hub and back."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import pytest
from voice_ime_desktop.hotkeys.control import ControlHotkeys

from tests.desktop.ssip_server import SpeechService
from tests.needs import ROOT
from tests.server.hub import Fault, Hub
from tests.unit.models.shop import CONTENT, from_hub, left_over
from voice_ime.cli import COMMANDS, main
from voice_ime.commands import ExitCode
from voice_ime.models.manifest import Manifest

Run = Callable[..., int]
ONLY = [command for command in COMMANDS if command.name == "models"]


@pytest.fixture
def run(hub: Hub, tmp_path: Path) -> Run:
    """Runs `voice-ime models ...` with a list of two models, one of them at the hub without known checksums."""
    model = from_hub(hub, known=False, sizes=False)
    strange = from_hub(hub).model_copy(update={"id": "strange", "engine": "of-the-future"})
    write_list(tmp_path / "list.toml", Manifest(model=(model, strange)))
    config = tmp_path / "settings.toml"
    config.write_text(
        f'[models]\nfolder = "{tmp_path}/models"\ncatalogue = "{tmp_path}/list.toml"\npause_s = 0\ntries = 2\n'
    )

    def start(*words: str, **environment: str) -> int:
        variables = {"HF_ENDPOINT": hub.address, "HOME": str(tmp_path)} | environment
        return main(["models", *words, "--config", str(config)], environment=variables, commands=ONLY)

    return start


def write_list(path: Path, manifest: Manifest) -> None:
    import tomlkit

    path.write_text(tomlkit.dumps(manifest.model_dump(mode="json", exclude_none=True)))


def test_a_model_is_fetched_checked_used_and_removed(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("pull", "small") == ExitCode.OK
    said = capsys.readouterr().out
    assert "Getting Small, size unknown." in said
    assert "Files of which no checksum was known: 2." in said
    assert f"Small is here, whole, in {tmp_path}/models/small." in said
    assert run("verify") == ExitCode.OK
    assert capsys.readouterr().out == "small is whole.\n"
    assert run("list") == ExitCode.OK
    assert capsys.readouterr().out.startswith("small: Small. English. Licence MIT, size unknown. On this machine.")
    assert run("use", "small") == ExitCode.OK
    assert 'name = "whisper"' in (tmp_path / "settings.toml").read_text()
    assert run("remove", "small", "--engine", "script") == ExitCode.OK
    assert not (tmp_path / "models" / "small").exists()


@pytest.mark.parametrize(
    ("own_name", "command"),
    [((), "voice-ime models use MODEL"), (("--as", "careful"), "voice-ime models use usual --as careful")],
)
def test_a_model_that_is_in_use_is_not_removed(
    own_name: tuple[str, ...], command: str, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("pull", "small")
    run("use", "small", *own_name)
    assert run("remove", "small") == ExitCode.WRONG_USAGE
    assert command in capsys.readouterr().err
    assert (tmp_path / "models" / "small" / "model.onnx").exists()
    run("list")
    assert "small: Small. English. Licence MIT, size unknown. In use." in capsys.readouterr().out


def test_a_model_beside_the_usual_one_is_let_go_and_the_settings_are_as_before(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (tmp_path / "settings.toml").read_text()
    run("pull", "small")
    run("use", "small", "--as", "careful")
    assert run("use", "usual", "--as", "careful") == ExitCode.OK
    assert "careful will no longer be loaded" in capsys.readouterr().out
    assert "careful" not in (tmp_path / "settings.toml").read_text()
    assert (tmp_path / "settings.toml").read_text().startswith(before)
    assert run("remove", "small") == ExitCode.OK


def test_a_model_that_writes_is_not_let_go(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("pull", "small")
    run("use", "small", "--as", "careful")
    file = tmp_path / "settings.toml"
    file.write_text(file.read_text().replace("[engine.others", '[engine]\nfinal = "careful"\n[engine.others', 1))
    before = file.read_text()
    assert run("use", "usual", "--as", "careful") == ExitCode.WRONG_USAGE
    assert "still asks for careful" in capsys.readouterr().err
    assert run("use", "usual", "--as", "other") == ExitCode.WRONG_USAGE
    assert "nothing is loaded under the name other" in capsys.readouterr().err
    assert file.read_text() == before


@pytest.mark.parametrize("own_name", ["", " ", "usual", "moonshine-tiny-en"])
def test_a_name_of_ones_own_is_none_that_means_something_else(
    own_name: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("pull", "small")
    assert run("use", "small", "--as", own_name) == ExitCode.WRONG_USAGE
    assert "it must be a name, and none of these: usual, moonshine-tiny-en." in capsys.readouterr().err


def test_a_damaged_model_is_not_chosen(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("pull", "small")
    (tmp_path / "models" / "small" / "model.onnx").write_bytes(b"x" * len(CONTENT["model.onnx"]))
    assert run("use", "small") == ExitCode.NO_MODEL
    assert "voice-ime models pull small" in capsys.readouterr().err
    assert "whisper" not in (tmp_path / "settings.toml").read_text()


def test_all_is_told_of_the_model_that_is_in_use(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("pull", "small")
    run("use", "small")
    capsys.readouterr()
    assert run("info", "small") == ExitCode.OK
    assert "In use. On this machine." in capsys.readouterr().out


@pytest.mark.parametrize("action", ["info", "pull", "verify", "use"])
def test_the_engine_that_is_in_use_says_nothing_on_what_can_be_done_with_a_model(action: str, run: Run) -> None:
    run("pull", "small")
    assert run(action, "small", "--engine", "script") == ExitCode.OK


def test_all_is_told_in_chinese_too(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pull", "small", LANG="zh_CN.UTF-8") == ExitCode.OK
    assert "正在获取 Small，大小未知。" in capsys.readouterr().out
    assert run("info", "small", LANG="zh_CN.UTF-8") == ExitCode.OK
    assert "可以商用。" in capsys.readouterr().out


def test_a_broken_line_is_told(run: Run, hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub.faults = [Fault("cut", 0.5)] * 9
    hub.tags = False
    assert run("pull", "small") == ExitCode.NO_MODEL
    assert "broke off again and again" in capsys.readouterr().err
    assert left_over(tmp_path / "models") == []


def test_a_damaged_model_is_told_with_the_command_that_mends_it(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("pull", "small")
    (tmp_path / "models" / "small" / "model.onnx").write_bytes(b"x" * len(CONTENT["model.onnx"]))
    capsys.readouterr()
    assert run("verify", "small") == ExitCode.NO_MODEL
    assert "voice-ime models pull small" in capsys.readouterr().out
    assert run("verify", "--json") == ExitCode.NO_MODEL
    told = json.loads(capsys.readouterr().out)
    assert told == {"models": {"small": {"damaged": "model.onnx", "whole": False}}}


def test_a_model_that_somebody_put_there_is_checked_and_then_counts(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "models" / "small"
    place.mkdir(parents=True)
    for name, content in CONTENT.items():
        (place / name).write_bytes(content)
    assert run("pull", "small") == ExitCode.NO_MODEL
    assert "there is already something in it" in capsys.readouterr().err
    assert run("list") == ExitCode.OK
    assert "never checked" in capsys.readouterr().out
    assert run("verify", "small") == ExitCode.OK
    assert run("use", "small") == ExitCode.OK


def test_a_later_download_that_differs_is_refused_until_the_person_trusts_it(
    run: Run, hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("pull", "small")
    run("remove", "small")
    hub.add_hub("ann/small", {"tokens.txt": b"changed"})
    assert run("pull", "small") == ExitCode.NO_MODEL
    assert "--trust-anew" in capsys.readouterr().err
    assert run("pull", "small", "--trust-anew") == ExitCode.OK


def test_a_stick_will_do_without_any_network(run: Run, hub: Hub, tmp_path: Path) -> None:
    for name, content in CONTENT.items():
        (tmp_path / name).write_bytes(content)
    assert run("pull", "small", "--from", str(tmp_path)) == ExitCode.OK
    assert hub.requests == []


def test_a_download_does_not_depend_on_whether_its_progress_can_be_written(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w") as full, redirect_stdout(full):
        assert run("pull", "small") == ExitCode.NO_OUTPUT
    assert "The output could not be written" in capsys.readouterr().err
    assert run("verify", "small") == ExitCode.OK


def test_programs_get_the_facts_as_json(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("list", "--json")
    small = json.loads(capsys.readouterr().out)["models"][0]
    assert (small["id"], small["states"], small["known_checksums"]["tokens.txt"]) == ("small", ["never_run"], None)
    run("info", "strange", "--json")
    assert "not_usable" in json.loads(capsys.readouterr().out)["states"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("info", "nonsense"), ExitCode.WRONG_USAGE, "There is no model called nonsense."),
        (("use", "strange"), ExitCode.WRONG_USAGE, "of-the-future"),
        (("use", "small"), ExitCode.NO_MODEL, "voice-ime models pull small"),
        (("verify", "small"), ExitCode.NO_MODEL, "not on this machine"),
        (("remove", "small"), ExitCode.NO_MODEL, "not on this machine"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: tuple[str, ...], code: ExitCode, said: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == code
    assert said in capsys.readouterr().err


def test_a_models_folder_that_is_none_is_told(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "models").write_text("not a folder")
    assert run("list") == ExitCode.SOME_FAILED
    assert f"{tmp_path}/models could not be read" in capsys.readouterr().err


def test_a_list_of_models_that_cannot_be_read_is_told(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.toml").write_text("[[model]")
    assert run("list") == ExitCode.WRONG_USAGE
    assert "models.catalogue" in capsys.readouterr().err


# --- aloud


@pytest.fixture
def speech(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpeechService]:
    service = SpeechService(tmp_path_factory.mktemp("speech") / "s" / "socket")
    service.start()
    yield service
    service.stop()


def at(service: SpeechService) -> str:
    return f"unix_socket:{service.socket}"


def test_whoever_asks_for_it_hears_how_far_it_is(run: Run, speech: SpeechService) -> None:
    assert run("pull", "small", "--speak", SPEECHD_ADDRESS=at(speech)) == ExitCode.OK
    assert speech.said("voice-ime") == [
        "Getting Small, size unknown.",
        "Files of which no checksum was known: 2. What has come was trusted, and recorded; a later download that "
        "differs will be refused.",
        "Small is here, and whole.",
        "To dictate with it, type: voice-ime models use small",
    ]


def test_it_is_spoken_in_mandarin_too(run: Run, speech: SpeechService) -> None:
    assert run("pull", "small", "--speak", SPEECHD_ADDRESS=at(speech), LANG="zh_CN.UTF-8") == ExitCode.OK
    assert speech.said("voice-ime")[0] == "正在获取 Small，大小未知。"
    assert {one.language for one in speech.requests} == {"zh"}


def test_what_went_wrong_is_spoken_with_what_to_do(run: Run, hub: Hub, speech: SpeechService) -> None:
    hub.faults = [Fault("missing")]
    assert run("pull", "small", "--speak", SPEECHD_ADDRESS=at(speech)) == ExitCode.NO_MODEL
    assert "does not give the file" in speech.said("voice-ime")[-2]
    assert len(speech.said("voice-ime")) == 3


def test_who_has_the_desktop_client_running_hears_it_unasked(run: Run, speech: SpeechService, tmp_path: Path) -> None:
    client = ControlHotkeys(tmp_path / "voice-ime" / "control.sock")
    client.start(lambda press: None)
    desktop = {"SPEECHD_ADDRESS": at(speech), "XDG_RUNTIME_DIR": str(tmp_path)}
    assert run("pull", "small", "--no-speak", **desktop) == ExitCode.OK
    assert speech.requests == []
    assert run("pull", "small", **desktop) == ExitCode.OK
    client.stop()
    assert speech.said("voice-ime")[0] == "Small is here, and whole."


def test_where_no_client_runs_nothing_is_spoken_unasked(run: Run, speech: SpeechService, tmp_path: Path) -> None:
    assert run("pull", "small", SPEECHD_ADDRESS=at(speech), XDG_RUNTIME_DIR=str(tmp_path)) == ExitCode.OK
    assert speech.requests == []


@pytest.mark.parametrize("address", ["unix_socket:/nowhere/socket", "inet_socket:localhost:1"])
def test_without_a_speech_service_it_is_fetched_and_printed_all_the_same(
    address: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("pull", "small", "--speak", SPEECHD_ADDRESS=address) == ExitCode.OK
    assert "Small is here, whole" in capsys.readouterr().out


def test_a_speech_service_that_dies_meanwhile_harms_nothing(run: Run, hub: Hub, speech: SpeechService) -> None:
    hub.faults = [Fault("kill", 0.5)]
    hub.kill = speech.stop
    assert run("pull", "small", "--speak", SPEECHD_ADDRESS=at(speech)) == ExitCode.OK


# --- what ends it


def as_process(hub: Hub, folder: Path, *before: str, **more: str) -> "subprocess.Popen[str]":
    """`more`: environment; with a speech service in it, it is spoken."""
    command = [sys.executable, "-m", "voice_ime", "models", "pull", "small", "--config", str(folder / "settings.toml")]
    command += ["--speak"] if "SPEECHD_ADDRESS" in more else []
    variables = dict(os.environ) | {"HF_ENDPOINT": hub.address, "HOME": str(folder), "LC_ALL": "C.UTF-8"} | more
    return subprocess.Popen([*before, *command], env=variables, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_download_that_is_killed_leaves_nothing_after_the_next_start(run: Run, hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("kill", 0.5)]
    with as_process(hub, tmp_path) as process:
        hub.kill = process.kill
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert left_over(tmp_path / "models") != []
    assert run("list") == ExitCode.OK
    assert list((tmp_path / "models").iterdir()) == []


def test_a_download_that_is_interrupted_goes_on_with_the_same_command(run: Run, hub: Hub, tmp_path: Path) -> None:
    write_list(tmp_path / "list.toml", Manifest(model=(from_hub(hub),)))
    hub.faults = [Fault("cut", 0.5), Fault("kill", 0.5)]
    with as_process(hub, tmp_path) as process:
        hub.kill = partial(os.kill, process.pid, signal.SIGINT)
        said = process.communicate()[1]
    assert process.returncode == ExitCode.INTERRUPTED
    assert said.endswith("type next: voice-ime models pull small\n")
    hub.requests.clear()
    assert run("pull", "small") == ExitCode.OK
    assert hub.requests[0].range.startswith("bytes=")


def test_who_interrupts_a_download_hears_how_to_go_on(
    run: Run, hub: Hub, speech: SpeechService, tmp_path: Path
) -> None:
    hub.faults = [Fault("kill", 0.5)]
    with as_process(hub, tmp_path, SPEECHD_ADDRESS=at(speech)) as process:
        hub.kill = partial(os.kill, process.pid, signal.SIGINT)
        process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert speech.said("voice-ime")[-1].endswith("type next: voice-ime models pull small")


def test_a_full_disk_is_told_and_nothing_is_left(run: Run, hub: Hub, tmp_path: Path) -> None:
    """The kernel refuses what goes beyond twenty blocks, as a full disk does."""
    with as_process(hub, tmp_path, "sh", "-c", 'ulimit -f 20; exec "$@"', "sh") as process:
        said = process.communicate()[1]
    assert process.returncode == ExitCode.NO_OUTPUT, said
    assert "the disk is full" in said
    assert left_over(tmp_path / "models") == []
