"""Mandarin the whole way: the real detector, a real server, and micro models that hear synthetic speech."""

import asyncio
import io
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise

import numpy as np
import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.needs import needs_package
from tests.server.cutting import cuttable_line
from tests.server.running import TOKEN, Running, Talk, running_server, settings
from voice_ime import protocol as wire
from voice_ime.audio import to_pcm16
from voice_ime.client import Address, ClientOptions, DictationClient
from voice_ime.dictating import Dictation, Key
from voice_ime.dictating import Talk as Talking
from voice_ime.engine.base import SAMPLE_RATE, Engine, Samples
from voice_ime.engine.speech import SpeechDetector
from voice_ime.messages import Messages
from voice_ime.settings import SherpaSettings
from voice_ime.terminal import Screen

needs_package("sherpa-onnx")
needs_package("kaldi-native-fbank")
needs_package("faster-whisper")  # brings the detector's model

from voice_ime.engine.sherpa import SherpaEngine  # noqa: E402

MICRO = MODELS / "micro_zh"
KINDS = ("streaming-transducer", "streaming-ctc", "transducer", "ctc")
SAID = {"trained-24.ogg": "老赵的声音在成都", "trained-36.ogg": "小林的邮件在武汉", "trained-03.ogg": "我朋友知道"}
PAUSE = np.zeros(SAMPLE_RATE, np.float32)


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = SherpaEngine(SherpaSettings(folder=MICRO / request.param, threads=1))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def detector() -> SpeechDetector:
    return SpeechDetector(None)


def spoken() -> Samples:
    """All sentences, with pauses between."""
    return np.concatenate([part for name in SAID for part in (sound_of(MICRO / "clips" / name), PAUSE)])


@asynccontextmanager
async def mandarin_server(engine: Engine, detector: SpeechDetector) -> AsyncIterator[Running]:
    async with running_server(engine, detector, configured=settings()) as server:
        yield server


async def speak(talk: Talk, sound: Samples) -> None:
    for start in range(0, len(sound), 320):
        await talk.say(wire.AudioFrame(start, to_pcm16(sound[start : start + 320])))


async def test_each_sentence_becomes_a_final_at_the_pause_behind_it(engine: Engine, detector: SpeechDetector) -> None:
    async with mandarin_server(engine, detector) as server, server.session(language="zh") as talk:
        await speak(talk, spoken())
        finals = [await talk.hear(wire.Final) for _ in SAID]
    assert [final.text for final in finals] == list(SAID.values())
    assert {final.reason for final in finals} == {"endpoint"}


async def test_words_have_times_in_the_session_and_confidence(engine: Engine, detector: SpeechDetector) -> None:
    async with mandarin_server(engine, detector) as server, server.session(language="zh") as talk:
        await speak(talk, spoken())
        finals = [await talk.hear(wire.Final) for _ in SAID]
    for final in finals:
        assert [word.text for word in final.words] == list(final.text)
        times = [time for word in final.words for time in (word.start_s, word.end_s)]
        assert all(time is not None and final.start_sample <= time * SAMPLE_RATE <= final.end_sample for time in times)
        assert all(word.confidence is not None and 0 < word.confidence <= 1 for word in final.words)
    starts = [word.start_s or 0.0 for final in finals for word in final.words]
    assert all(earlier < later for earlier, later in pairwise(starts))


async def test_partials_grow_while_one_speaks(engine: Engine, detector: SpeechDetector) -> None:
    async with mandarin_server(engine, detector) as server, server.session(language="zh") as talk:
        sound = sound_of(MICRO / "clips" / "trained-24.ogg")
        await speak(talk, sound[: round(1.8 * SAMPLE_RATE)])
        partial = await talk.hear(wire.Partial)
        while not partial.stable + partial.unstable:
            partial = await talk.hear(wire.Partial)
    assert "老赵的声音在成都".startswith((partial.stable + partial.unstable)[:1])


async def test_the_release_of_the_key_ends_a_mandarin_sentence(engine: Engine, detector: SpeechDetector) -> None:
    sound = sound_of(MICRO / "clips" / "trained-24.ogg")
    async with mandarin_server(engine, detector) as server, server.session(language="zh", endpoints=False) as talk:
        await speak(talk, sound)
        await talk.say(wire.Finalize(sample=len(sound)))
        final = await talk.hear(wire.Final)
    assert (final.text, final.reason) == ("老赵的声音在成都", "finalize")
    assert [edit.text for edit in final.edits] == ["老赵的声音在成都"]


@pytest.mark.parametrize(("seed", "anew"), [(0, False), (1, True)])
async def test_cuts_and_new_servers_lose_and_change_nothing(
    engine: Engine, detector: SpeechDetector, seed: int, anew: bool
) -> None:
    sound = spoken()
    moments = random.Random(seed).sample(range(len(sound) // 320), 3)
    async with AsyncExitStack() as servers, cuttable_line(0) as line:
        line.target = (await servers.enter_async_context(mandarin_server(engine, detector))).port

        async def address() -> Address:
            return line.address(TOKEN)

        client = DictationClient(address, ClientOptions(language="zh"))
        running = asyncio.create_task(client.run())
        for number, start in enumerate(range(0, len(sound), 320)):
            if number in moments:
                line.cut()
                if anew:
                    line.target = (await servers.enter_async_context(mandarin_server(engine, detector))).port
            client.send(to_pcm16(sound[start : start + 320]))
            await asyncio.sleep(0)
        client.finalize()
        assert await finals_of(client, len(sound)) == list(SAID.values())
        await client.close()
        await running


async def finals_of(client: DictationClient, end: int) -> list[str]:
    heard: list[str] = []
    async with asyncio.timeout(60):
        async for event in client.events():
            match event:
                case wire.Final():
                    heard.append(event.text)
                    client.kept(event)
                case wire.Finalized() if event.sample == end:
                    break
                case wire.Error():
                    raise AssertionError(event)
    return heard


class Clips:
    """A microphone that delivers one clip each time it is opened."""

    def __init__(self) -> None:
        self._names = iter(SAID)

    def start(self, on_pcm: Callable[[bytes], None]) -> None:
        on_pcm(to_pcm16(sound_of(MICRO / "clips" / next(self._names))))

    def stop(self) -> None:
        """It has stopped by itself."""


async def test_dictating_in_a_terminal_tells_the_sentences_in_chinese(engine: Engine, detector: SpeechDetector) -> None:
    told = io.StringIO()
    async with mandarin_server(engine, detector) as server, asyncio.timeout(60):

        async def address() -> Address:
            return server.address

        client = DictationClient(address, ClientOptions(language="zh"))
        running = asyncio.create_task(client.run())
        dictation = Dictation(client, Screen(told, None), Messages("zh"))
        telling = asyncio.create_task(dictation.told())
        clips = Clips()
        for _ in SAID:
            keys: asyncio.Queue[Key] = asyncio.Queue()
            for key in (Key.ENTER, Key.ENTER, Key.END):
                keys.put_nowait(key)
            assert await Talking(dictation, clips, keys).run()
        await client.close()
        await running
        await telling
    lines = [line.partition("（")[0] for line in told.getvalue().splitlines()]
    assert lines == [line for text in SAID.values() for line in ("正在听。", "已停止。", text)]
