"""What a server does with what it should not get: each a clear error, nothing else disturbed, nothing lost."""

import asyncio
from contextlib import suppress

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.fakes import loud, silent
from tests.server.running import SPEECH, TOKEN, Running, Talk, hello, running_server, settings
from tests.server.test_dictation import SENTENCE, speak
from voice_ime import protocol as wire
from voice_ime.audio import to_pcm16
from voice_ime.messages import Messages
from voice_ime.settings import ServerSettings, Settings


async def error_of(talk: Talk) -> wire.Error:
    async with asyncio.timeout(20):
        while not isinstance(message := wire.read_server_message(await talk.websocket.recv()), wire.Error):
            pass
    assert message.message
    assert message.remedy
    return message


async def dictates_well(server: Running, name: str = "another-session") -> bool:
    """Whether somebody else is served as if nothing had happened."""
    async with server.session(session=name) as talk:
        await speak(talk, SENTENCE)
        return (await talk.hear(wire.Final)).text.endswith("16384 loud")


async def goes_on(talk: Talk, offset: int = 0) -> bool:
    """Whether this very connection still dictates."""
    await speak(talk, SENTENCE, offset)
    return (await talk.hear(wire.Final)).text.endswith("16384 loud")


async def test_a_frame_of_odd_length_is_refused_and_the_connection_goes_on() -> None:
    async with running_server() as server, server.session() as talk:
        await talk.say(b"\0" * 8 + b"abc")
        assert (await error_of(talk)).code == "bad_frame"
        assert await goes_on(talk)


async def test_a_frame_too_short_for_an_offset_is_refused() -> None:
    async with running_server() as server, server.session() as talk:
        await talk.say(b"")
        assert (await error_of(talk)).code == "bad_frame"
        assert await goes_on(talk)


async def test_a_gap_in_the_sound_is_told_and_closed_by_sending_again() -> None:
    async with running_server() as server, server.session() as talk:
        await speak(talk, SENTENCE[:8000])
        await speak(talk, SENTENCE[9600:9920], offset=9600)
        error = await error_of(talk)
        assert (error.code, error.expected_sample, error.fatal) == ("audio_gap", 8000, False)
        await speak(talk, SENTENCE[8000:], offset=8000)
        assert (await talk.hear(wire.Final)).text.endswith("16384 loud")


async def test_sound_sent_twice_is_told_and_used_once() -> None:
    async with running_server() as server, server.session() as talk:
        await speak(talk, SENTENCE[:8000])
        await speak(talk, SENTENCE[7680:8000], offset=7680)
        assert (await error_of(talk)).code == "audio_overlap"
        await talk.say(wire.AudioFrame(7360, to_pcm16(SENTENCE[7360:8400])))
        await speak(talk, SENTENCE[8400:], offset=8400)
        assert (await talk.hear(wire.Final)).text.endswith("16384 loud")


@pytest.mark.parametrize("text", ["not json", '{"type": "audio", "data": "AAAA"}', '{"type": "finalize"}', "[" * 5000])
async def test_text_that_is_no_message_is_refused_and_the_connection_goes_on(text: str) -> None:
    async with running_server() as server, server.session() as talk:
        await talk.say(text)
        assert (await error_of(talk)).code == "bad_message"
        assert await goes_on(talk)


async def test_a_wrong_version_is_told_even_if_the_hello_is_otherwise_unknown() -> None:
    async with running_server() as server, server.connection() as talk:
        await talk.say({"type": "hello", "version": 99, "news": True})
        error = await error_of(talk)
        assert (error.code, error.fatal) == ("wrong_version", True)
        assert await talk.closed() == 1002


async def test_a_wrong_sample_rate_is_refused() -> None:
    async with running_server() as server, server.connection() as talk:
        await talk.say({"type": "hello", "version": 1, "session": "session-1", "sample_rate": 44100})
        error = await error_of(talk)
        assert (error.code, error.fatal) == ("wrong_sample_rate", True)
        assert "44100" in error.message
        assert "16000" in error.message
        assert await talk.closed() == 1002


async def test_a_refused_hello_is_answered_in_the_language_it_asks_for() -> None:
    async with running_server() as server, server.connection() as talk:
        await talk.say({"type": "hello", "version": 1, "session": "session-1", "colour": "blue", "messages": "zh"})
        assert (await error_of(talk)).remedy == Messages("zh")("error.bad_message.remedy", detail="")


async def test_a_language_the_engine_does_not_hear_is_refused_with_those_it_does() -> None:
    async with running_server() as server, server.connection() as talk:
        await talk.say(hello(language="fr"))
        error = await error_of(talk)
        assert error.code == "language_not_supported"
        assert await dictates_well(server)


async def test_errors_are_told_in_chinese_to_those_who_ask_for_it() -> None:
    async with running_server() as server, server.session(messages="zh") as talk:
        await talk.say("not json")
        expected = Messages("zh")("error.bad_message.remedy", detail="")
        assert (await error_of(talk)).remedy == expected


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic dXNlcjpwYXNz", ""])
async def test_a_wrong_token_is_refused_before_anything_is_said(header: str) -> None:
    async with running_server() as server:
        with pytest.raises(InvalidStatus) as raised:
            async with server.connection(Authorization=header):
                pass
        assert raised.value.response.status_code == 403
        assert wire.Error.model_validate_json(raised.value.response.body or b"").code == "wrong_token"


async def test_a_web_page_from_elsewhere_is_refused_even_with_the_token() -> None:
    async with running_server() as server:
        with pytest.raises(InvalidStatus) as raised:
            async with server.connection(Origin="https://example.org"):
                pass
        assert wire.Error.model_validate_json(raised.value.response.body or b"").code == "foreign_origin"


async def test_a_web_page_that_is_allowed_may_connect() -> None:
    allowed = settings(allowed_origins=("http://127.0.0.1:9000",))
    async with running_server(configured=allowed) as server, server.connection(Origin="http://127.0.0.1:9000") as talk:
        await talk.say(hello())
        assert await talk.hear(wire.Ready)


async def status_under(host: str, server: Running) -> int:
    """Of a connection that is asked for under this name. By hand: clients add a `Host` and do not replace theirs."""
    lines = (
        f"GET {wire.PATH} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Authorization: Bearer {TOKEN}",
    )  # fmt: skip
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST"])
async def test_this_machine_is_reached_under_its_own_names(host: str) -> None:
    async with running_server() as server:
        assert await status_under(host, server) == 101


@pytest.mark.parametrize("host", ["rebound.example.org", "127.0.0.1.example.org:8765", "192.0.2.7:8765", ""])
async def test_a_name_that_only_points_to_this_machine_is_refused(host: str) -> None:
    async with running_server() as server:
        assert await status_under(host, server) == 400


@pytest.mark.parametrize("host", ["192.0.2.7:8765", "192.0.2.7", "[2001:db8::7]:8765"])
async def test_a_server_that_listens_everywhere_can_be_reached_under_any_address(host: str) -> None:
    async with running_server(configured=settings(host="0.0.0.0")) as server:
        assert await status_under(host, server) == 101


@pytest.mark.parametrize("host", ["rebound.example.org:8765", "192.0.2.7.example.org", "[", "", "[2001:db8::7"])
async def test_a_server_that_listens_everywhere_is_not_reached_under_names(host: str) -> None:
    async with running_server(configured=settings(host="0.0.0.0")) as server:
        assert await status_under(host, server) == 400


async def test_a_second_hello_ends_the_connection_and_the_session_can_be_resumed() -> None:
    async with running_server() as server:
        async with server.session() as talk:
            await speak(talk, SENTENCE[:8000])
            await talk.say(hello())
            error = await error_of(talk)
            assert (error.code, error.fatal) == ("out_of_order", True)
            assert await talk.closed() == 1002
        async with server.connection() as talk:
            await talk.say(hello())
            ready = await talk.hear(wire.Ready)
            assert (ready.resumed, ready.next_sample) == (True, 8000)
            await speak(talk, SENTENCE[8000:], offset=8000)
            assert (await talk.hear(wire.Final)).text.endswith("16384 loud")


@pytest.mark.parametrize("first", [b"\0" * 8, '{"type": "bye"}'])
async def test_anything_before_hello_is_out_of_order(first: str | bytes) -> None:
    async with running_server() as server, server.connection() as talk:
        await talk.say(first)
        assert (await error_of(talk)).code == "out_of_order"
        assert await talk.closed() == 1002


async def test_a_connection_that_never_says_hello_is_ended() -> None:
    async with running_server(configured=settings(hello_timeout_s=0.05)) as server, server.connection() as talk:
        assert (await error_of(talk)).code == "hello_timeout"
        assert await dictates_well(server)


@pytest.mark.parametrize("frame", [b"\0" * (64 << 20), "x" * (64 << 20)], ids=["sound", "text"])
async def test_a_frame_of_64_megabytes_is_refused_without_being_held(frame: str | bytes) -> None:
    async with running_server() as server:
        async with server.session() as talk:
            with suppress(ConnectionClosed):  # it may be closed while we are still sending
                await talk.say(frame)
            assert await talk.closed() == 1009
        assert await dictates_well(server)


async def test_a_flood_of_messages_ends_the_connection() -> None:
    async with running_server(configured=settings(max_messages_per_s=5)) as server, server.session() as talk:
        for _ in range(20):
            await talk.say(wire.Context(before="x"))
        assert (await error_of(talk)).code == "too_fast"


async def test_keeping_many_finals_at_once_is_no_flood() -> None:
    async with running_server(configured=settings(max_messages_per_s=5)) as server, server.session() as talk:
        count = 15
        sound = np.concatenate([loud(0.2), silent(0.8)] * count)
        end = await speak(talk, sound)
        finals = [await talk.hear(wire.Final) for _ in range(count)]
        for final in finals:
            await talk.say(wire.Kept(utterance=final.utterance))
        await talk.say(wire.Finalize(sample=end))
        assert (await talk.hear(wire.Finalized)).sample == end


async def test_a_client_gone_in_mid_word_disturbs_nobody_and_can_come_back() -> None:
    async with running_server() as server:
        async with server.session() as talk:
            await speak(talk, SENTENCE[:12000])
            talk.websocket.transport.abort()
        assert await dictates_well(server)
        async with server.connection() as talk:
            await talk.say(hello())
            ready = await talk.hear(wire.Ready)
            await speak(talk, SENTENCE[ready.next_sample :], offset=ready.next_sample)
            assert (await talk.hear(wire.Final)).text.endswith("16384 loud")


async def test_a_full_server_says_so_and_takes_the_next_when_a_place_is_free() -> None:
    async with running_server(configured=settings(max_sessions=1)) as server:
        async with server.session() as first:
            async with server.connection() as second:
                await second.say(hello(session="session-2"))
                error = await error_of(second)
                assert (error.code, error.fatal) == ("server_full", True)
                assert await second.closed() == 1013
            assert await goes_on(first)
            await first.say(wire.Bye())
            await first.closed()
        assert await dictates_well(server)


async def test_the_same_session_from_a_second_connection_takes_over() -> None:
    async with running_server() as server, server.session() as old:
        await speak(old, SENTENCE[:8000])
        await old.say(wire.Correction(utterance="u0", heard="a", meant="b"))
        await old.hear(wire.CorrectionTaken)
        async with server.connection() as new:
            await new.say(hello())
            assert (await new.hear(wire.Ready)).next_sample == 8000
            assert (await error_of(old)).code == "replaced"
            await speak(new, SENTENCE[8000:], offset=8000)
            assert (await new.hear(wire.Final)).text.endswith("16384 loud")


async def test_a_client_that_never_keeps_its_finals_is_told() -> None:
    async with running_server(configured=settings(max_unkept_finals=1)) as server, server.session() as talk:
        await speak(talk, np.concatenate([SENTENCE, SENTENCE, silent(0.5)]))
        await talk.hear(wire.Final)
        await talk.hear(wire.Final)
        assert (await error_of(talk)).code == "too_many_unkept"
        assert await talk.closed() == 1002


async def test_an_hour_of_resume_memory_is_bounded_by_number() -> None:
    kept = settings(max_kept_sessions=2)
    async with running_server(configured=kept) as server:
        for number in range(5):
            async with server.session(session=f"session-{number}"):
                pass
        resumed = []
        for number in range(5):
            async with server.connection() as talk:
                await talk.say(hello(session=f"session-{number}"))
                resumed.append((await talk.hear(wire.Ready)).resumed)
        assert resumed.count(True) <= 2


async def test_speech_far_faster_than_real_time_is_slowed_down_and_not_lost() -> None:
    slow_reader = Settings(speech=SPEECH, server=ServerSettings(max_waiting_s=1))
    async with running_server(configured=slow_reader) as server, server.session(partials=False) as talk:
        end = await speak(talk, np.concatenate([loud(3), silent(1)] * 10))
        await talk.say(wire.Finalize(sample=end))
        heard = [await talk.hear(wire.Final) for _ in range(10)]
        assert sum(int(final.text.split()[2]) for final in heard) == 10 * 48000
