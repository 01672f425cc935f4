"""What is heard of a download through the real speech-dispatcher, whoever else is speaking."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from voice_ime_desktop.announce.ssip import SsipAnnouncer

from tests.desktop.x11 import until
from tests.server.hub import Fault, Hub, serving
from tests.spoken.speech_dispatcher import SpeechDispatcher, speech_dispatcher
from tests.unit.models.shop import from_hub
from voice_ime.cli import COMMANDS, main
from voice_ime.commands import ExitCode
from voice_ime.models.manifest import Manifest

PAGE = "A long page."


@pytest.fixture
def speech(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpeechDispatcher]:
    with speech_dispatcher(tmp_path_factory.mktemp("speech")) as running:
        yield running


@pytest.fixture
async def announcer(speech: SpeechDispatcher) -> AsyncIterator[SsipAnnouncer]:
    announcer = SsipAnnouncer(speech.service, {})
    await announcer.start()
    yield announcer
    await announcer.stop()


async def heard(speech: SpeechDispatcher, *sentences: str) -> None:
    await asyncio.to_thread(speech.wait_for, *sentences)


async def test_while_our_own_sentence_lasts_only_the_newest_progress_waits(
    announcer: SsipAnnouncer, speech: SpeechDispatcher
) -> None:
    speech.talks_on()
    announcer.say("Getting it.", "en")
    await heard(speech, "Getting it.")
    for percent in (25, 50, 75):
        announcer.progress(f"{percent} percent.", "en")
    speech.comes_to_an_end()
    await heard(speech, "Getting it.", "75 percent.")
    announcer.say("It is here.", "en")
    await heard(speech, "Getting it.", "75 percent.", "It is here.")


async def test_the_screen_reader_is_not_interrupted_and_the_newest_progress_follows_it(
    announcer: SsipAnnouncer, speech: SpeechDispatcher
) -> None:
    speech.talks_on()
    speech.say(PAGE)
    await heard(speech, PAGE)
    for percent in (25, 50, 75):
        announcer.progress(f"{percent} percent.", "en")
    await said_all(announcer)
    speech.comes_to_an_end()
    await heard(speech, PAGE, "75 percent.")


async def said_all(announcer: SsipAnnouncer) -> None:
    """The service has everything."""
    await announcer.stop()
    await announcer.start()


async def test_that_it_is_done_is_said_at_once_and_last(announcer: SsipAnnouncer, speech: SpeechDispatcher) -> None:
    announcer.progress("75 percent.", "en")
    announcer.say("It is here.", "en")
    await heard(speech, "It is here.")


async def test_a_service_that_was_killed_goes_on_with_the_newest(
    announcer: SsipAnnouncer, speech: SpeechDispatcher
) -> None:
    announcer.say("Getting it.", "en")
    await heard(speech, "Getting it.")
    speech.kill()
    for percent in (25, 50, 75):
        announcer.progress(f"{percent} percent.", "en")
    speech.start()
    await asyncio.to_thread(until, lambda: speech.heard[-1] == "75 percent.", "the newest")
    assert not {"25 percent.", "50 percent."} & set(speech.heard)


# --- the whole command


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as running:
        yield running


def pull(hub: Hub, folder: Path, speech: SpeechDispatcher, language: str) -> int:
    import tomlkit

    (folder / "list.toml").write_text(
        tomlkit.dumps(Manifest(model=(from_hub(hub),)).model_dump(mode="json", exclude_none=True))
    )
    settings = folder / "settings.toml"
    settings.write_text(f'[models]\nfolder = "{folder}/models"\ncatalogue = "{folder}/list.toml"\npause_s = 0\n')
    environment = {"HF_ENDPOINT": hub.address, "HOME": str(folder), "LANG": language} | speech.environment
    only = [command for command in COMMANDS if command.name == "models"]
    words = ["models", "pull", "small", "--speak", "--config", str(settings)]
    return main(words, environment=environment, commands=only)


def test_a_model_that_is_fetched_is_heard_from_beginning_to_end(
    speech: SpeechDispatcher, hub: Hub, tmp_path: Path
) -> None:
    assert pull(hub, tmp_path, speech, "C") == ExitCode.OK
    speech.wait_for(
        "Getting Small, 1 megabytes.",
        "Small is here, and whole.",
        "To dictate with it, type: voice-ime models use small",
    )


def test_and_in_mandarin(speech: SpeechDispatcher, hub: Hub, tmp_path: Path) -> None:
    assert pull(hub, tmp_path, speech, "zh_CN.UTF-8") == ExitCode.OK
    speech.wait_for(
        "正在获取 Small，1 兆。",
        "Small 已经在这台电脑上，文件完好。",
        "要用它听写，请输入：voice-ime models use small",
    )


def test_a_service_that_is_killed_in_the_middle_does_not_harm_the_download(
    speech: SpeechDispatcher, hub: Hub, tmp_path: Path
) -> None:
    hub.faults = [Fault("kill", 0.5)]
    hub.kill = speech.kill
    assert pull(hub, tmp_path, speech, "C") == ExitCode.OK
    assert (tmp_path / "models" / "small" / "model.onnx").exists()
