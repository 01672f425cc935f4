"""A server of our own, tried with small programs in its place: kept running, told about, never left behind."""

import asyncio
import os
import signal
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from voice_ime.errors import ServerEnded, ServerRefused
from voice_ime.local_server import Command, LocalServer, Patience, read_announcement, same_settings, serve_command

SERVER = """
import json, os, sys
port = int(sys.argv[1]) or 4000
print(json.dumps({"url": f"ws://127.0.0.1:{port}/v1/dictate", "token": str(os.getpid())}), flush=True)
print("x" * 100_000, file=sys.stderr, flush=True)
sys.stdin.read()
"""
SERVER_WHOSE_PORT_WAS_TAKEN = """
import json, os, sys
if sys.argv[1] != "0":
    print(json.dumps({"error": {"code": "port_taken", "message": "Taken.", "remedy": "Another."}}), flush=True)
    sys.exit(4)
print(json.dumps({"url": "ws://127.0.0.1:4001/v1/dictate", "token": str(os.getpid())}), flush=True)
sys.stdin.read()
"""
SERVER_WITH_A_DAMAGED_MODEL = """
import json
print(json.dumps({"error": {"code": "model_damaged", "message": "Damaged.", "remedy": "Get it again."}}), flush=True)
raise SystemExit(3)
"""
SERVER_THAT_FAILS = "raise SystemExit(7)"
SERVER_THAT_SAYS_NOTHING = "import sys; sys.stdin.read()"
SERVER_THAT_WILL_NOT_END = """
import os, signal, time
print('{"url": "ws://127.0.0.1:4002/v1/dictate", "token": "%d"}' % os.getpid(), flush=True)
while True:
    time.sleep(60)
"""


def program(text: str) -> Command:
    def command(port: int) -> Sequence[str]:
        return (sys.executable, "-I", "-c", text, str(port))

    return command


@asynccontextmanager
async def running(text: str, patience: Patience | None = None) -> AsyncIterator[LocalServer]:
    server = LocalServer(program(text), patience)
    async with asyncio.timeout(60):
        run = asyncio.create_task(server.run())
        try:
            yield server
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_the_address_is_told_as_soon_as_the_server_is_ready() -> None:
    async with running(SERVER) as server:
        address = await server.address()
        assert address.url == "ws://127.0.0.1:4000/v1/dictate"
        assert address.token == str(server.process_id)


async def test_a_server_that_dies_is_started_again_on_the_same_port() -> None:
    async with running(SERVER) as server:
        first = await server.address()
        os.kill(int(first.token), signal.SIGKILL)
        second = await server.address(other_than=first)
        assert second.url == first.url


async def test_where_the_port_is_taken_meanwhile_another_is_used() -> None:
    async with running(SERVER_WHOSE_PORT_WAS_TAKEN) as server:
        first = await server.address()
        os.kill(int(first.token), signal.SIGKILL)
        assert (await server.address(other_than=first)).url == "ws://127.0.0.1:4001/v1/dictate"


async def test_what_the_server_says_is_wrong_is_passed_on() -> None:
    async with running(SERVER_WITH_A_DAMAGED_MODEL) as server:
        with pytest.raises(ServerRefused) as caught:
            await server.address()
    assert caught.value.values == {"code": "model_damaged", "message": "Damaged.", "remedy": "Get it again."}


async def test_a_server_that_ends_again_and_again_is_given_up() -> None:
    async with running(SERVER_THAT_FAILS, Patience(starts=3)) as server:
        with pytest.raises(ServerEnded) as caught:
            await server.address()
    assert caught.value.values == {"status": 7}


async def test_a_server_that_never_becomes_ready_is_given_up() -> None:
    async with running(SERVER_THAT_SAYS_NOTHING, Patience(ready_s=0.1)) as server:
        with pytest.raises(ServerEnded) as caught:
            await server.address()
    assert caught.value.values == {"status": "timeout"}


async def test_nobody_waits_for_the_address_of_a_server_that_is_no_longer_wanted() -> None:
    async with running(SERVER_THAT_SAYS_NOTHING, Patience(end_s=0.1)) as server:
        waiting = asyncio.create_task(server.address())
        await asyncio.sleep(0)
    with pytest.raises(ServerEnded):
        await waiting


async def test_no_server_is_left_behind() -> None:
    async with running(SERVER) as server:
        process = int((await server.address()).token)
    assert not is_there(process)


async def test_a_server_that_will_not_end_is_ended_by_force() -> None:
    async with running(SERVER_THAT_WILL_NOT_END, Patience(end_s=0.1)) as server:
        process = int((await server.address()).token)
    assert not is_there(process)


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"ready", b"{}", b"[]", b'{"url": "ws://x"}', b'{"error": {}}', b'{"error": 1}', b"\xff"]
)
def test_a_line_that_is_no_announcement_is_none(line: bytes) -> None:
    assert read_announcement(line) is None


def test_the_server_gets_the_settings_that_we_were_started_with() -> None:
    given = Namespace(config=Path("a.toml"), engine="script", model=None, log_level="info", file=None)
    assert same_settings(given) == ["--config", "a.toml", "--engine", "script", "--log-level", "info"]


def test_the_server_is_this_very_installation() -> None:
    command = serve_command(("--engine", "script"))(8765)
    assert command[0] == sys.executable
    assert list(command[3:]) == ["voice_ime", "serve", "--port", "8765", "--attached", "--engine", "script"]
