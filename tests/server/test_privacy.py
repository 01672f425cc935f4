"""Nothing that was said, heard, or stands around the caret reaches a log, at any level."""

import asyncio
import itertools
import json
from asyncio.subprocess import PIPE
from pathlib import Path

import numpy as np
import pytest

from tests.needs import needs_package
from tests.server.process import ended, first_line, serving
from tests.server.running import Running, Talk, hello
from voice_ime import protocol as wire
from voice_ime.audio import read_blocks, to_pcm16
from voice_ime.client import Address, ClientOptions, DictationClient
from voice_ime.engine.base import Samples
from voice_ime.engine.store import sample_recording

needs_package("faster-whisper")
needs_package("moonshine-voice")

MARKER = "mandragora"
CONFIG = f"""
[engine]
name = "script"
[engine.script]
lines = ["{MARKER} is what was said"]
"""


async def dictate_with_marker(talk: Talk) -> None:
    await talk.say(hello(language="en", profile="default"))
    await talk.say(wire.Context(before=MARKER, after=MARKER, focus=wire.FocusFacts(application=MARKER)))
    for utterance in ("u0", "u1", "u2"):
        await talk.say(wire.Correction(utterance=utterance, heard=f"a {MARKER} now", meant=f"a {MARKER}s now"))
    await talk.say(f'{{"type": "{MARKER}"}}')
    await talk.say(f"{MARKER}")
    await talk.say(wire.write_audio(wire.AudioFrame(0, MARKER.encode())))
    await talk.say(wire.Finalize(sample=len(MARKER) // 2))
    await talk.say(wire.Bye())
    await talk.closed()


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
async def test_the_server_logs_no_contents(level: str, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(CONFIG)
    options = ("--port", "0", "--attached", "--config", str(config), "--log-level", level)
    async with serving(*options, home=tmp_path, stdin=PIPE) as process:
        told = json.loads(await first_line(process))
        server = Running(int(told["url"].split(":")[2].split("/")[0]))
        async with server.connection(Authorization=f"Bearer {told['token']}") as talk:
            await dictate_with_marker(talk)
        final = await one_final(Address(told["url"], told["token"]))
        assert MARKER in final.text
        assert process.stdin is not None
        process.stdin.close()
        end = await ended(process)
    assert MARKER not in end.output + end.complaint
    assert told["token"] not in end.output + end.complaint


async def test_the_client_logs_no_contents(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(CONFIG)
    async with serving("--port", "0", "--attached", "--config", str(config), home=tmp_path, stdin=PIPE) as process:
        told = json.loads(await first_line(process))
        with caplog.at_level("DEBUG"):
            final = await one_final(Address(told["url"], told["token"]))
    assert MARKER in final.text
    assert MARKER not in caplog.text
    assert told["token"] not in caplog.text


def speech() -> Samples:
    """The first seconds of the recording that comes with the embedded model."""
    recording = sample_recording()
    assert recording is not None
    return np.concatenate(list(itertools.islice(read_blocks(recording), 5)))


async def one_final(address: Address) -> wire.Final:
    async def there() -> Address:
        return address

    client = DictationClient(there, ClientOptions(profile="default"))
    running = asyncio.create_task(client.run())
    client.context(wire.Context(before=MARKER))
    client.send(to_pcm16(speech()))
    client.finalize()
    client.correct(wire.Correction(utterance="u0", heard=f"a {MARKER} now", meant=f"a {MARKER}s now"))
    found: wire.Final | None = None
    awaited = {wire.Finalized, wire.CorrectionTaken}
    async with asyncio.timeout(30):
        async for event in client.events():
            if isinstance(event, wire.Final):
                found = event
            awaited.discard(type(event))
            if not awaited:
                break
    await client.close()
    await running
    assert found is not None
    return found
