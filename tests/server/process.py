"""`voice-ime serve` as its user starts it: a process of its own."""

import asyncio
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE_S = 60


@dataclass(frozen=True)
class Ended:
    status: int
    output: str
    complaint: str


async def start(
    *arguments: str, environment: Mapping[str, str], wrapper: tuple[str, ...] = (), stdin: int = DEVNULL
) -> Process:
    command = (*wrapper, sys.executable, "-m", "voice_ime", *arguments)
    return await asyncio.create_subprocess_exec(
        *command, stdin=stdin, stdout=PIPE, stderr=PIPE, env={"PYTHONWARNINGS": "error", **environment}
    )


async def ended(process: Process) -> Ended:
    async with asyncio.timeout(PATIENCE_S):
        output, complaint = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, output.decode(), complaint.decode())


async def run(*arguments: str, environment: Mapping[str, str], wrapper: tuple[str, ...] = ()) -> Ended:
    return await ended(await start(*arguments, environment=environment, wrapper=wrapper))


async def on_a_full_disk(folder: Path) -> tuple[str, ...]:
    """The wrapper of a command for which `folder`, which must be there, is a tiny file system without room. Skips where
    this user may not make one."""
    fill = f"mount -t tmpfs -o size=4k none {folder} && head -c 8192 /dev/zero > {folder}/filler 2>/dev/null; "
    wrapper = ("unshare", "-rm", "sh", "-c", fill + 'exec "$@"', "sh")
    probe = (*wrapper, "test", "-s", f"{folder}/filler")
    if not (shutil.which("unshare") and shutil.which("mount")) or await _fails(probe):
        pytest.skip("this user may not make a file system of its own")
    return wrapper


async def _fails(command: tuple[str, ...]) -> bool:
    process = await asyncio.create_subprocess_exec(*command, stderr=PIPE)
    await process.communicate()
    return process.returncode != 0


async def first_line(process: Process) -> str:
    """What the server says when it is ready."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        return (await process.stdout.readline()).decode()


@asynccontextmanager
async def serving(*arguments: str, home: Path, stdin: int = DEVNULL) -> AsyncIterator[Process]:
    process = await start("serve", *arguments, environment=at_home(home), stdin=stdin)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def at_home(home: Path) -> dict[str, str]:
    """An environment in which everything the program keeps is under `home`."""
    return {"HOME": str(home), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
