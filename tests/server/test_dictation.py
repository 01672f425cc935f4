"""Dictating through a real server on loopback, with an engine that hears how long the sound was."""

import asyncio
import gc
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.fakes import loud, silent
from tests.server.running import Talk, hello, running_server, settings
from voice_ime import protocol as wire
from voice_ime.audio import to_pcm16
from voice_ime.engine.base import Samples
from voice_ime.server.stream import Stream


async def speak(talk: Talk, sound: Samples, offset: int = 0) -> int:
    """Sends `sound` in frames of 20 ms; the sample after the last."""
    for start in range(0, len(sound), 320):
        piece = sound[start : start + 320]
        await talk.say(wire.AudioFrame(offset + start, to_pcm16(piece)))
    return offset + len(sound)


SENTENCE = np.concatenate([silent(0.512), loud(1.024), silent(1.024)])


async def test_speech_becomes_a_final_at_the_pause_behind_it() -> None:
    async with running_server() as server, server.session() as talk:
        await speak(talk, SENTENCE)
        final = await talk.hear(wire.Final)
        assert final.text.endswith("16384 loud")
        assert final.reason == "endpoint"
        assert [edit.text for edit in final.edits] == [final.text]
        assert final.timings.endpoint_s == 0.512
        assert final.timings.final_s >= final.timings.queue_s


async def test_the_release_of_the_key_ends_the_utterance_at_once() -> None:
    async with running_server() as server, server.session(endpoints=False) as talk:
        end = await speak(talk, loud(1))
        await talk.say(wire.Finalize(sample=end))
        final = await talk.hear(wire.Final)
        assert (final.reason, final.end_sample) == ("finalize", end)
        assert (await talk.hear(wire.Finalized)).sample == end


async def test_a_release_when_nothing_was_said_is_answered() -> None:
    async with running_server() as server, server.session() as talk:
        end = await speak(talk, silent(0.3))
        await talk.say(wire.Finalize(sample=end))
        assert (await talk.hear(wire.Finalized)).sample == end


async def test_partials_come_while_one_speaks_and_not_when_they_are_not_wanted() -> None:
    async with running_server() as server:
        async with server.session(session="with-partials") as talk:
            await speak(talk, loud(2))
            assert (await talk.hear(wire.Partial)).utterance == "u0"
        async with server.session(session="without-partials", partials=False) as talk:
            end = await speak(talk, loud(2))
            await talk.say(wire.Finalize(sample=end))
            assert isinstance(await talk.hear(wire.Partial | wire.Final), wire.Final)  # type: ignore[arg-type]


async def test_a_cancelled_utterance_gives_no_final() -> None:
    async with running_server() as server, server.session() as talk:
        end = await speak(talk, loud(1))
        await talk.say(wire.Cancel(start=0, sample=end))
        assert (await talk.hear(wire.Cancelled)).sample == end
        await speak(talk, SENTENCE, end)
        assert (await talk.hear(wire.Final)).start_sample >= end


async def test_the_ready_message_says_what_the_engine_can_do_and_where_the_limits_are() -> None:
    async with running_server() as server, server.connection() as talk:
        await talk.say(hello())
        ready = await talk.hear(wire.Ready)
        assert ready.capabilities.engine == "echo"
        assert ready.limits.max_frame_bytes == 262_144
        assert (ready.next_sample, ready.resumed) == (0, False)


async def test_a_kept_final_lets_the_client_forget_its_sound() -> None:
    async with running_server() as server, server.session() as talk:
        await speak(talk, np.concatenate([SENTENCE, silent(2)]))
        final = await talk.hear(wire.Final)
        await talk.say(wire.Kept(utterance=final.utterance))
        assert (await talk.hear(wire.Finished)).sample >= final.start_sample


async def test_a_correction_is_answered() -> None:
    async with running_server() as server, server.session() as talk:
        await talk.say(wire.Correction(utterance="u0", heard="Cowalsky", meant="Kowalski"))
        assert (await talk.hear(wire.CorrectionTaken)).kept is False


async def test_the_server_tells_of_its_health_and_whether_it_has_room() -> None:
    async with running_server(configured=settings(max_sessions=1)) as server:

        def ask(path: str) -> tuple[int, dict[str, Any]]:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, json.load(error)

        assert (await asyncio.to_thread(ask, "/healthz"))[0] == 200
        assert (await asyncio.to_thread(ask, "/readyz"))[0] == 200
        async with server.session():
            status, body = await asyncio.to_thread(ask, "/readyz")
            assert (status, body["free"]) == (503, 0)


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_a_session_that_is_over_is_gone_without_being_looked_for(uncollected: None) -> None:
    """A collector that looks for circles may have been told to leave alone what lived at some moment."""
    async with running_server() as server:
        for ended in ("by a bye", "by a fault"):
            async with server.session(session=ended.replace(" ", "-")) as talk:
                await speak(talk, loud(0.5))
                await talk.say(wire.Bye() if ended == "by a bye" else "hello")
                if ended == "by a fault":
                    await talk.say(hello())
                await talk.closed()
    assert [each for each in gc.get_objects() if type(each) is Stream] == []


async def test_two_speakers_at_once_each_get_their_own_words() -> None:
    async with (
        running_server() as server,
        server.session(session="speaker-1") as one,
        server.session(session="speaker-2") as other,
    ):
        long = np.concatenate([silent(0.512), loud(2.048), silent(1.024)])
        await asyncio.gather(speak(one, SENTENCE), speak(other, long))
        assert (await one.hear(wire.Final)).text.endswith("16384 loud")
        assert (await other.hear(wire.Final)).text.endswith("32768 loud")
