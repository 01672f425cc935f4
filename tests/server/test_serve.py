"""Starting and ending the server."""

import asyncio
import json
import re
import shutil
import signal
import socket
import stat
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.needs import needs_package
from tests.server.process import at_home, ended, first_line, on_a_full_disk, run, serving, start
from tests.server.running import Running, hello
from voice_ime import protocol as wire
from voice_ime.engine.store import sample_recording

needs_package("faster-whisper")

SCRIPT = ("--engine", "script")


async def test_the_server_says_where_it_is_and_keeps_its_token_from_others(tmp_path: Path) -> None:
    async with serving("--port", "0", *SCRIPT, home=tmp_path) as process:
        line = await first_line(process)
        token = tmp_path / ".local" / "state" / "voice-ime" / "token"
        assert re.search(r"ws://127\.0\.0\.1:\d+/v1/dictate", line)
        assert str(token) in line
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert len(token.read_text()) > 30


async def test_a_terminated_server_ends_well_and_gives_its_port_back(tmp_path: Path) -> None:
    async with serving("--port", "0", *SCRIPT, home=tmp_path) as process:
        port = int(re.findall(r":(\d+)/", await first_line(process))[0])
        process.send_signal(signal.SIGTERM)
        assert (await ended(process)).status == 0
        socket.create_server(("127.0.0.1", port)).close()


async def test_an_attached_server_tells_a_program_its_address_and_ends_with_it(tmp_path: Path) -> None:
    async with serving("--port", "0", "--attached", *SCRIPT, home=tmp_path, stdin=PIPE) as process:
        told = json.loads(await first_line(process))
        assert told["url"].startswith("ws://127.0.0.1:")
        assert told["token"]
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def test_an_attached_server_can_also_be_terminated(tmp_path: Path) -> None:
    """While the program that started it goes on."""
    async with serving("--port", "0", "--attached", *SCRIPT, home=tmp_path, stdin=PIPE) as process:
        await first_line(process)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        async with asyncio.timeout(20):
            assert await process.wait() == 0
            assert await process.stderr.read() == b""


async def test_a_taken_port_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        end = await run("serve", "--port", str(port), *SCRIPT, environment=at_home(tmp_path))
    assert end.status == 4
    assert str(port) in end.complaint
    assert "--port" in end.complaint
    assert "Traceback" not in end.complaint


async def test_an_address_that_this_machine_does_not_have_is_told(tmp_path: Path) -> None:
    end = await run("serve", "--port", "0", "--host", "192.0.2.7", *SCRIPT, environment=at_home(tmp_path))
    assert end.status == 4
    assert "192.0.2.7: this machine does not have this address." in end.complaint
    assert "--host" in end.complaint


async def test_the_server_can_be_reached_over_ipv6(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with serving("--port", "0", "--host", "::1", "--attached", *SCRIPT, home=tmp_path, stdin=PIPE) as process:
        told = json.loads(await first_line(process))
        assert told["url"].startswith("ws://[::1]:")
        token = {"Authorization": f"Bearer {told['token']}"}
        async with connect(told["url"], additional_headers=token, proxy=None) as websocket:
            await websocket.send(hello().model_dump_json())
            assert isinstance(wire.read_server_message(await websocket.recv()), wire.Ready)


async def test_a_taken_port_is_told_to_the_program_that_started_the_server(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        end = await run("serve", "--port", str(port), "--attached", *SCRIPT, environment=at_home(tmp_path))
    assert json.loads(end.output)["error"]["code"] == "port_taken"


async def test_a_damaged_model_is_told_before_anything_is_served(tmp_path: Path) -> None:
    needs_package("moonshine-voice")
    recording = sample_recording()
    assert recording is not None
    damaged = tmp_path / "model"
    shutil.copytree(recording.parent / "tiny-en", damaged)
    with (damaged / "encoder_model.ort").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"damage")
    end = await run("serve", "--port", "0", "--model", str(damaged), environment=at_home(tmp_path))
    assert end.status == 3
    assert "encoder_model.ort" in end.complaint
    assert "Traceback" not in end.complaint


async def test_without_a_model_that_only_some_profile_asks_for_everybody_else_is_served(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(
        '[engine]\nname = "script"\n[engine.others.careful]\nname = "whisper"\nwhisper.folder = "/gone"\n'
    )
    process = await start("serve", "--port", "0", "--config", str(settings), environment=at_home(tmp_path))
    port = int(re.findall(r":(\d+)/", await first_line(process))[0])
    token = (tmp_path / ".local" / "state" / "voice-ime" / "token").read_text()
    async with connect(
        f"ws://127.0.0.1:{port}/v1/dictate", additional_headers={"Authorization": f"Bearer {token}"}
    ) as connection:
        await connection.send(hello().model_dump_json())
        assert json.loads(await connection.recv())["type"] == "ready"
    process.terminate()
    end = await ended(process)
    assert "/gone" in end.complaint
    assert "do without the engine careful" in end.complaint


async def test_a_full_disk_is_told_when_the_token_cannot_be_kept(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    wrapper = await on_a_full_disk(full)
    token = str(full / "token")
    end = await run(
        "serve", "--port", "0", "--token-file", token, *SCRIPT, environment=at_home(tmp_path), wrapper=wrapper
    )
    assert end.status == 6
    assert token in end.complaint
    assert "Traceback" not in end.complaint


async def test_a_refused_connection_is_no_fault_of_the_server(tmp_path: Path) -> None:
    async with serving("--port", "0", "--attached", *SCRIPT, home=tmp_path, stdin=PIPE) as process:
        server = Running(int(json.loads(await first_line(process))["url"].split(":")[2].split("/")[0]))
        with pytest.raises(InvalidStatus):
            async with server.connection(Authorization="Bearer wrong"):
                pass
        assert process.stdin is not None
        process.stdin.close()
        assert (await ended(process)).complaint == ""


async def test_what_was_told_at_the_start_is_enough_to_dictate(tmp_path: Path) -> None:
    async with serving("--port", "0", *SCRIPT, home=tmp_path) as process:
        url, file = re.findall(r"(ws://\S+?/v1/dictate)\. .* (/\S+?)\.$", (await first_line(process)).strip())[0]
        server = Running(int(url.split(":")[2].split("/")[0]))
        token = await asyncio.to_thread(Path(file).read_text)
        async with server.connection(Authorization=f"Bearer {token}") as talk:
            await talk.say(hello())
            assert (await talk.hear(wire.Ready)).capabilities.engine == "script"
