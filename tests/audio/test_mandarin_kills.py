"""Servers that are killed or cut off in the middle of Mandarin: nothing is lost or doubled."""

import asyncio
import random

import numpy as np
import pytest

from tests.audio.test_kills import FRAME, Said, dictate, nothing, scene, undisturbed
from tests.contract.engine_contract import MODELS, sound_of
from tests.needs import needs_package
from voice_ime.audio import to_pcm16
from voice_ime.engine.base import SAMPLE_RATE

needs_package("sherpa-onnx")
needs_package("kaldi-native-fbank")
needs_package("faster-whisper")  # brings the detector's model

MICRO = MODELS / "micro_zh"
CLIPS = ("trained-24.ogg", "trained-36.ogg", "trained-03.ogg")
OPTIONS = ("--engine", "sherpa", "--model", str(MICRO / "streaming-transducer"))


def spoken() -> bytes:
    """All sentences, with pauses between."""
    pause = np.zeros(SAMPLE_RATE, np.float32)
    return to_pcm16(np.concatenate([part for name in CLIPS for part in (sound_of(MICRO / "clips" / name), pause)]))


@pytest.fixture(scope="module")
def expected() -> list[Said]:
    """What is heard when nobody disturbs."""

    async def alone() -> list[Said]:
        async with scene(*OPTIONS) as on:
            return await dictate(on, undisturbed, nothing, spoken(), "zh")

    heard = asyncio.run(alone())
    assert [text for _, _, text in heard] == ["老赵的声音在成都", "小林的邮件在武汉", "我朋友知道"]
    return heard


@pytest.mark.parametrize("seed", range(4))
async def test_a_killed_server_or_a_cut_line_changes_nothing_in_what_is_heard(seed: int, expected: list[Said]) -> None:
    sound = spoken()
    at = random.Random(seed).randrange(2, len(sound) // (2 * FRAME) - 2)
    async with scene(*OPTIONS) as on:

        async def disturb(number: int) -> None:
            if number == at:
                (on.kill if seed % 2 else on.line.cut)()

        assert await dictate(on, disturb, nothing, sound, "zh") == expected


async def test_a_server_killed_between_a_final_and_its_acknowledgement_doubles_nothing(expected: list[Said]) -> None:
    async with scene(*OPTIONS) as on:
        heard = await dictate(on, undisturbed, lambda final: on.kill() if final == 1 else None, spoken(), "zh")
    assert heard == expected
