"""The engine can be changed while people dictate, and each language or profile can have its own."""

import asyncio
import gc
import json
import weakref
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.fakes import LevelDetector, loud
from tests.needs import needs_package
from tests.server.cutting import cuttable_line
from tests.server.running import TOKEN, Running, Talk, hello, running_server, settings
from tests.server.test_dictation import speak
from voice_ime import protocol as wire
from voice_ime.audio import to_pcm16
from voice_ime.client import Address, ClientOptions, Connected, DictationClient
from voice_ime.engine.base import SAMPLE_RATE, Options, Samples
from voice_ime.engine.engines import Engines
from voice_ime.engine.listener import Detector
from voice_ime.engine.speech import SpeechDetector
from voice_ime.models.running import tell_server
from voice_ime.personalize.profile import Preferences, Source
from voice_ime.settings import EngineSettings, Settings
from voice_ime.store.base import Author, Put, Store

MICRO_ZH = MODELS / "micro_zh"
SHERPA = {"name": "sherpa", "sherpa": {"folder": str(MICRO_ZH / "streaming-transducer"), "threads": 1}}
WHISPER = {
    "name": "whisper",
    "whisper": {"folder": str(MODELS / "whisper_micro"), "threads": 1, "compute_type": "int8"},
}
PAUSE = np.zeros(SAMPLE_RATE, np.float32)


def script(*lines: str) -> dict[str, Any]:
    return {"name": "script", "script": {"lines": list(lines)}}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@dataclass(frozen=True)
class Place:
    """A server whose engine can be changed."""

    running: Running
    engines: Engines

    async def ask(self, method: str, body: object = None, **headers: str) -> Answer:
        return await asyncio.to_thread(_ask, self.running.port, method, body, headers)

    async def switch(self, wanted: Mapping[str, Any]) -> Answer:
        return await self.ask("POST", wanted)


def _ask(port: int, method: str, body: object, headers: Mapping[str, str]) -> Answer:
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    shown = {"Authorization": f"Bearer {TOKEN}"} | dict(headers)
    connection.request(method, "/v1/engine", None if body is None else json.dumps(body), shown)
    with connection.getresponse() as answer:
        content = answer.read()
    connection.close()
    return Answer(answer.status, json.loads(content))


@asynccontextmanager
async def place_of(
    engine: Mapping[str, Any], detector: Detector | None = None, store: Store | None = None
) -> AsyncIterator[Place]:
    engines = Engines(EngineSettings.model_validate(engine))
    async with running_server(engines, detector or LevelDetector(), configured=settings(), store=store) as running:
        yield Place(running, engines)
    engines.close()


async def said(talk: Talk, end: int) -> tuple[str, int]:
    """The final of a second of speech, and the position behind it."""
    end = await speak(talk, loud(1), end)
    await talk.say(wire.Finalize(sample=end))
    return (await talk.hear(wire.Final)).text, end


# --- with a given text -----------------------------------------------------------------------------------------------


async def test_the_next_utterance_is_heard_by_the_new_engine() -> None:
    async with place_of(script("old")) as place, place.running.session(endpoints=False) as talk:
        before, end = await said(talk, 0)
        answer = await place.switch(script("new"))
        after, _ = await said(talk, end)
    assert answer.status == 200
    assert (before, after) == ("old", "new")


async def test_an_utterance_under_way_ends_on_the_engine_that_it_began_with() -> None:
    async with place_of(script("one two three")) as place, place.running.session(endpoints=False) as talk:
        end = await speak(talk, loud(1), 0)
        await talk.hear(wire.Partial)
        assert (await place.switch(script("new"))).status == 200
        end = await speak(talk, loud(1), end)
        await talk.say(wire.Finalize(sample=end))
        under_way = await talk.hear(wire.Final)
        after, _ = await said(talk, end)
    assert (under_way.text, under_way.start_sample) == ("one two three", 0)
    assert after == "new"


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        ({"name": "parrot"}, "engine_unknown"),
        ({"name": "sherpa", "sherpa": {"folder": "/nowhere"}}, "model_not_found"),
        ({"final": "whisper", "whisper": {"folder": "/nowhere"}}, "model_not_found"),
    ],
)
async def test_where_the_new_engine_fails_the_old_one_stays_and_it_is_said(wanted: dict[str, Any], cause: str) -> None:
    needs_package("sherpa-onnx")
    needs_package("faster-whisper")
    async with place_of(script("old")) as place, place.running.session(endpoints=False) as talk:
        end = await speak(talk, loud(1), 0)
        answer = await place.switch(wanted)
        await talk.say(wire.Finalize(sample=end))
        under_way = await talk.hear(wire.Final)
        after, _ = await said(talk, end)
        facts = await place.ask("GET")
    assert answer.status == 409
    error = answer.body["error"]
    assert (error["code"], error["cause"]) == ("not_switched", cause)
    assert error["message"].endswith("Dictation goes on with the engine script.")
    assert error["remedy"]
    assert (under_way.text, after) == ("old", "old")
    assert facts.body["name"] == "script"


async def test_it_is_spoken_clipin_chinese_to_whoever_asks_in_chinese() -> None:
    async with place_of(script("old")) as place:
        answer = await place.ask("POST", {"name": "parrot"}, **{"Accept-Language": "zh"})
    assert answer.body["error"]["message"] == "没有名为 parrot 的引擎。听写继续使用引擎 script。"


async def test_settings_that_do_not_exist_are_refused_by_name() -> None:
    async with place_of(script("old")) as place:
        answer = await place.switch({"script": {"linse": ["new"]}})
    assert answer.status == 422
    assert answer.body["error"]["code"] == "config"
    assert "engine.script.linse" in answer.body["error"]["message"]


async def test_only_who_knows_the_token_may_ask() -> None:
    async with place_of(script("old")) as place:
        answers = [await place.ask(method, {}, Authorization="Bearer wrong") for method in ("GET", "POST")]
    assert [answer.status for answer in answers] == [401, 401]


async def test_what_is_loaded_is_told() -> None:
    async with place_of(script("one") | {"others": {"mine": script("two")}}) as place:
        facts = (await place.ask("GET")).body
    assert (facts["name"], facts["final"]) == ("script", "")
    assert set(facts["loaded"]) == {"script", "mine"}
    assert facts["capabilities"]["languages"] == ["en", "zh"]


async def test_what_a_switch_does_not_mention_stays() -> None:
    async with place_of(script("old")) as place, place.running.session(endpoints=False) as talk:
        assert (await place.switch({"others": {"mine": script("new")}})).status == 200
        first, end = await said(talk, 0)
        assert (await place.switch({"final": "mine"})).status == 200
        second, end = await said(talk, end)
        assert (await place.switch({"final": "", "others": {}})).status == 200
        third, _ = await said(talk, end)
        loaded = (await place.ask("GET")).body["loaded"]
    assert [first, second, third] == ["old", "new", "old"]
    assert set(loaded) == {"script"}


async def test_who_connects_after_a_switch_is_told_what_the_new_engine_can() -> None:
    async with place_of(script("old")) as place:
        await place.switch({"final": "mine", "others": {"mine": script("new")}})
        async with place.running.connection() as talk:
            await talk.say(hello())
            ready = await talk.hear(wire.Ready)
    assert ready.capabilities.engine == "script+script"


async def test_a_server_that_is_running_is_told_what_the_settings_name_now(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    async with place_of(script("old")) as place, place.running.session(endpoints=False) as talk:

        def tell(engine: Mapping[str, Any], language: str = "en") -> Awaitable[tuple[bool, str] | None]:
            changed = Settings.model_validate({"engine": engine, "server": {"port": place.running.port}})
            return asyncio.to_thread(tell_server, changed, tmp_path / "token", language)

        changed = await tell(script("new"))
        heard, _ = await said(talk, 0)
        failed = await tell({"name": "parrot"}, "zh")
    nobody = await tell(script("new"))
    assert (changed, heard) == ((True, "script"), "new")
    assert failed is not None
    assert failed[0] is False
    assert failed[1].startswith("没有名为 parrot 的引擎。听写继续使用引擎 script。")
    assert nobody is None


async def test_a_server_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("another one")
    async with place_of(script("old")) as place:
        changed = Settings.model_validate({"server": {"port": place.running.port}})
        assert await asyncio.to_thread(tell_server, changed, tmp_path / "token", "en") is None
        assert await asyncio.to_thread(tell_server, changed, tmp_path / "none", "en") is None
        assert place.engines.settings.name == "script"


# --- with micro models -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detector() -> SpeechDetector:
    needs_package("sherpa-onnx")
    needs_package("kaldi-native-fbank")
    needs_package("faster-whisper")
    return SpeechDetector(None)


async def stream(talk: Talk, sound: Samples, start: int = 0) -> int:
    """The position behind it."""
    for at in range(0, len(sound), 320):
        await talk.say(wire.AudioFrame(start + at, to_pcm16(sound[at : at + 320])))
    return start + len(sound)


def clip(name: str) -> Samples:
    return sound_of(MODELS / name)


async def finals(talk: Talk, number: int) -> list[str]:
    return [(await talk.hear(wire.Final)).text.rstrip("。.").lower() for _ in range(number)]


async def test_mandarin_and_english_in_turn_in_two_passes(detector: SpeechDetector) -> None:
    """The engine that hears while one speaks knows Mandarin only, the one that writes knows both."""
    spoken = ("zh-weather.flac", "en-window.flac", "zh-meeting.flac", "en-delete.flac")
    async with (
        place_of(SHERPA | WHISPER | {"name": "sherpa", "final": "whisper"}, detector) as place,
        place.running.session() as talk,
    ):
        await stream(talk, np.concatenate([part for name in spoken for part in (clip(name), PAUSE)]))
        heard = await finals(talk, 4)
    assert heard == ["天气很好", "open the window please", "今天下午三点开会", "delete the last sentence"]


@pytest.mark.parametrize(
    ("language", "name", "text"),
    [("zh", "zh-meeting.flac", "今天下午三点开会"), ("en", "en-window.flac", "open the window please")],
)
async def test_a_switch_in_the_middle_of_a_sentence_loses_nothing_of_it(
    detector: SpeechDetector, language: str, name: str, text: str
) -> None:
    """Each sentence comes whole, from one engine or the other, however often they change meanwhile."""
    sound = clip(name)
    half = len(sound) // 2
    wanted = ({"final": "", "name": "whisper", "whisper": {"beam_size": 4}}, {"whisper": {"beam_size": 3}})
    async with place_of(WHISPER, detector) as place, place.running.session(language=language, endpoints=False) as talk:
        heard, end = [], 0
        for change in wanted:
            end = await stream(talk, sound[:half], end)
            assert (await place.switch(change)).status == 200
            end = await stream(talk, sound[half:], end)
            await talk.say(wire.Finalize(sample=end))
            heard += await finals(talk, 1)
    assert heard == [text, text]


async def test_from_one_mandarin_engine_to_the_other_between_two_words(detector: SpeechDetector) -> None:
    spoken_clip, text = sound_of(MICRO_ZH / "clips" / "trained-24.ogg"), "老赵的声音在成都"
    async with place_of(SHERPA, detector) as place, place.running.session(language="zh", endpoints=False) as talk:
        half = round(1.8 * SAMPLE_RATE)
        end = await stream(talk, spoken_clip[:half])
        await talk.hear(wire.Partial)
        assert (await place.switch(WHISPER)).status == 200
        end = await stream(talk, spoken_clip[half:], end)
        await talk.say(wire.Finalize(sample=end))
        (under_way,) = await finals(talk, 1)
        end = await stream(talk, clip("zh-weather.flac"), end)
        await talk.say(wire.Finalize(sample=end))
        (after,) = await finals(talk, 1)
    assert (under_way, after) == (text, "天气很好")


async def test_a_damaged_model_leaves_mandarin_dictation_as_it_was(detector: SpeechDetector, tmp_path: Path) -> None:
    for file in (MICRO_ZH / "ctc").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    damaged = {"name": "sherpa", "sherpa": {"folder": str(tmp_path)}}
    sound = sound_of(MICRO_ZH / "clips" / "trained-03.ogg")
    async with place_of(SHERPA, detector) as place, place.running.session(language="zh", endpoints=False) as talk:
        end = await stream(talk, sound[: len(sound) // 2])
        answer = await place.switch(damaged)
        end = await stream(talk, sound[len(sound) // 2 :], end)
        await talk.say(wire.Finalize(sample=end))
        assert await finals(talk, 1) == ["我朋友知道"]
    assert answer.status == 409
    assert answer.body["error"]["message"].endswith("Dictation goes on with the engine sherpa.")


async def test_a_language_in_which_somebody_dictates_is_not_taken_away(detector: SpeechDetector) -> None:
    async with place_of(WHISPER, detector) as place, place.running.session(language="en", endpoints=False) as talk:
        refused = await place.switch(SHERPA)
        end = await stream(talk, clip("en-window.flac"))
        await talk.say(wire.Finalize(sample=end))
        assert await finals(talk, 1) == ["open the window please"]
        await talk.say(wire.Bye())
        await talk.closed()
        allowed = await place.switch(SHERPA)
    assert (refused.status, refused.body["error"]["cause"]) == (409, "language_not_supported")
    assert allowed.status == 200


async def test_each_language_is_heard_by_its_own_engine(detector: SpeechDetector) -> None:
    by_language = {"zh": {"name": "sherpa"}, "en": {"name": "whisper"}}
    async with place_of(SHERPA | WHISPER | {"by_language": by_language}, detector) as place:
        async with place.running.session(language="zh", endpoints=False, session="mandarin") as talk:
            end = await stream(talk, sound_of(MICRO_ZH / "clips" / "trained-24.ogg"))
            await talk.say(wire.Finalize(sample=end))
            assert await finals(talk, 1) == ["老赵的声音在成都"]
        async with place.running.session(language="en", endpoints=False, session="english-1") as talk:
            end = await stream(talk, clip("en-delete.flac"))
            await talk.say(wire.Finalize(sample=end))
            assert await finals(talk, 1) == ["delete the last sentence"]


async def test_where_nobody_said_the_language_each_sentence_is_written_by_the_engine_of_its_own(
    detector: SpeechDetector,
) -> None:
    """The usual engine, which tells them apart, does not know the first sentence."""
    engines = SHERPA | WHISPER | {"by_language": {"zh": {"name": "sherpa"}}}
    async with place_of(engines, detector) as place, place.running.session(endpoints=False) as talk:
        end, heard = 0, []
        for sound in (sound_of(MICRO_ZH / "clips" / "trained-24.ogg"), clip("en-delete.flac")):
            end = await stream(talk, sound, end)
            await talk.say(wire.Finalize(sample=end))
            heard += await finals(talk, 1)
    assert heard == ["老赵的声音在成都", "delete the last sentence"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Ann's profile and Bo's."""
    needs_package("sqlalchemy")
    needs_package("alembic")
    from voice_ime.store.sql import SqlStore

    with closing(SqlStore(tmp_path / "profiles.sqlite")) as store:
        for name in ("ann", "bo"):
            store.create(name)
        yield store


def wish(store: Store, **preferences: Any) -> None:
    """Ann's preferences; Bo has none."""
    store.apply("ann", [Put(Preferences(**preferences))], Author(Source.PERSON, "test"))


async def test_a_profile_has_its_own_engines(store: Store) -> None:
    wish(store, final_engine="mine")
    heard = {}
    async with place_of(script("usual") | {"others": {"mine": script("hers")}}, store=store) as place:
        for name in ("ann", "bo"):
            async with place.running.session(profile=name, endpoints=False, session=f"session-{name}") as talk:
                heard[name], _ = await said(talk, 0)
    assert heard == {"ann": "hers", "bo": "usual"}


async def test_a_profile_whose_engine_is_not_loaded_is_told_at_once_and_once(store: Store) -> None:
    wish(store, engine="hers", final_engine="whisper")
    async with place_of(script("usual"), store=store) as place, place.running.connection() as talk:
        await talk.say(hello(profile="ann", endpoints=False))
        await talk.hear(wire.Ready)
        error = wire.read_server_message(await talk.websocket.recv())
        first, end = await said(talk, 0)
        second, _ = await said(talk, end)
    assert (first, second) == ("usual", "usual")
    assert isinstance(error, wire.Error)
    assert (error.code, error.fatal) == ("own_engine_missing", False)
    assert "hers, whisper" in error.message
    assert "voice-ime models use MODEL --as hers" in error.remedy
    assert "preferences --own-engine usual --own-final-engine usual --profile ann" in error.remedy


async def test_an_engine_that_is_taken_away_meanwhile_is_told_in_the_language_of_the_person(store: Store) -> None:
    wish(store, final_engine="mine")
    engines = script("usual") | {"others": {"mine": script("hers")}}
    async with place_of(engines, store=store) as place, place.running.session(profile="ann", messages="zh") as talk:
        await talk.say(wire.Finalize(sample=await speak(talk, loud(1), 0)))
        assert (await talk.hear(wire.Final)).text == "hers"
        await place.switch({"others": {}})
        await speak(talk, loud(1), SAMPLE_RATE)
        while not isinstance(message := wire.read_server_message(await talk.websocket.recv()), wire.Error):
            pass
    assert message.code == "own_engine_missing"
    assert message.message.startswith("您的个人资料指定使用引擎 mine")


async def test_who_is_connected_again_to_a_new_server_is_not_told_a_second_time(store: Store) -> None:
    wish(store, engine="hers")
    told: list[str] = []
    async with AsyncExitStack() as servers, cuttable_line(0) as line:

        async def start() -> None:
            place = await servers.enter_async_context(place_of(script("usual"), store=store))
            line.target = place.running.port

        async def address() -> Address:
            return line.address(TOKEN)

        await start()
        client = DictationClient(address, ClientOptions(profile="ann"))
        running = asyncio.create_task(client.run())
        end = 0
        async with asyncio.timeout(30):
            async for event in client.events():
                match event:
                    case Connected(again=False):
                        client.send(to_pcm16(loud(1)))
                        client.finalize()
                    case wire.Finalized() if end == 0:
                        end = event.sample
                        await start()
                        line.cut()
                    case Connected():
                        client.send(to_pcm16(loud(1)))
                        client.finalize()
                    case wire.Finalized():
                        break
                    case wire.Error():
                        told.append(event.code)
        await client.close()
        await running
    assert told == ["own_engine_missing"]


async def test_the_language_of_a_profile_chooses_the_engine(store: Store) -> None:
    wish(store, language="zh")
    heard = {}
    engines = script("usual") | {"others": {"mine": script("她的")}, "by_language": {"zh": {"name": "mine"}}}
    async with place_of(engines, store=store) as place:
        for name, language in (("ann", None), ("ann", "en"), ("bo", None), ("bo", "zh")):
            fields = {"profile": name, "language": language, "session": f"session-{name}-{language}"}
            async with place.running.session(endpoints=False, **fields) as talk:
                heard[name, language], _ = await said(talk, 0)
    assert heard == {
        ("ann", None): "她的",
        ("ann", "en"): "usual",
        ("bo", None): "usual",
        ("bo", "zh"): "她的",
    }


async def test_mandarin_comes_in_the_characters_of_the_person(detector: SpeechDetector, store: Store) -> None:
    """The model writes Simplified Chinese only."""
    wish(store, script="traditional")
    heard = {}
    async with place_of(SHERPA, detector, store=store) as place:
        for name in ("ann", "bo"):
            async with place.running.session(profile=name, endpoints=False, session=f"session-{name}") as talk:
                end = await stream(talk, sound_of(MICRO_ZH / "clips" / "trained-24.ogg"))
                await talk.say(wire.Finalize(sample=end))
                heard[name] = await finals(talk, 1)
    assert heard == {"ann": ["老趙的聲音在成都"], "bo": ["老赵的声音在成都"]}


async def test_after_a_switch_the_old_engine_stays_only_until_the_last_word(detector: SpeechDetector) -> None:
    async with place_of(WHISPER, detector) as place, place.running.session(endpoints=False) as talk:
        utterance = place.engines.begin(Options())
        end = await stream(talk, clip("zh-weather.flac"))
        await talk.hear(wire.Partial)
        assert (await place.switch(SHERPA)).status == 200
        await talk.say(wire.Finalize(sample=end))
        assert await finals(talk, 1) == ["天气很好"]
        utterance.feed(clip("zh-weather.flac"))
        assert utterance.finish().text.rstrip("。") == "天气很好"
        old = weakref.ref(utterance._engine)  # type: ignore[attr-defined]
        del utterance
        end = await stream(talk, PAUSE, end)
        await talk.say(wire.Finalize(sample=end))
        await talk.hear(wire.Finalized)
        gc.collect()
    assert old() is None
