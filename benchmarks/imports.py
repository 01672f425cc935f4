"""How long an import over HTTP keeps everybody else waiting.

    .venv/bin/python -m benchmarks.imports [--entries 5000] [--json benchmarks/results/imports.json]

A server in this process, the client in another one. The worst of five runs each, of a new list and of the same once
more. `late_ms`: how late the event loop was by the clock. `work_ms`: how much the whole process computed between two
turns of the loop, beyond the 5 ms that the loop slept: how late it would be on a machine that does nothing else.
"""

import argparse
import asyncio
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.profiles import NAME, list_of
from benchmarks.start import facts, tell
from voice_ime.engine.script import ScriptEngine
from voice_ime.engine.speech import SpeechDetector
from voice_ime.personalize.formats import merge, own_json, table
from voice_ime.personalize.profile import Entry, Profile
from voice_ime.server.app import create_app
from voice_ime.server.garbage import leave_old_objects_alone
from voice_ime.server.run import ReadyServer, uvicorn_config
from voice_ime.settings import Settings
from voice_ime.store.base import Put
from voice_ime.store.sql import SqlStore

RUNS = 5
EVERY_S = 0.005
TOKEN = "benchmark"
CLIENT = """
import http.client, sys
port, path, file = sys.argv[1:]
connection = http.client.HTTPConnection("127.0.0.1", int(port))
connection.request("POST", path, open(file, "rb").read(), {"Authorization": "Bearer benchmark"})
answer = connection.getresponse()
answer.read()
sys.exit(answer.status != 200)
"""


@dataclass
class Waited:
    """Milliseconds."""

    late: float = 0.0
    work: float = 0.0

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            clock, worked = time.perf_counter(), time.process_time()
            await asyncio.sleep(EVERY_S)
            self.late = max(self.late, 1000 * (time.perf_counter() - clock - EVERY_S))
            self.work = max(self.work, 1000 * (time.process_time() - worked - EVERY_S))


def lists(count: int) -> dict[str, bytes]:
    """The same entries in two formats."""
    content = list_of(count)
    plan = merge.planned(Profile(name=NAME), table.read(content, table.format_named("csv")))
    entries = tuple(each.value for each in plan.changes if isinstance(each, Put) and isinstance(each.value, Entry))
    return {"csv": content, "json": own_json.write(Profile(name=NAME, entries=entries)).encode()}


@asynccontextmanager
async def served(store: SqlStore) -> AsyncIterator[int]:
    """The port of a server."""
    settings = Settings()
    detector = SpeechDetector(settings.speech.detector)
    app = create_app(settings, ScriptEngine(settings.engine.script), detector, TOKEN, store)
    ready = asyncio.Event()
    server = ReadyServer(uvicorn_config(app, settings.server), ready.set)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server._serve(sockets=[listening]))
        await ready.wait()
        leave_old_objects_alone()
        yield listening.getsockname()[1]
        server.should_exit = True
        await serving


async def imported(port: int, form: str, file: Path) -> Waited:
    waited = Waited()
    path = f"/v1/profiles/{NAME}/import?format={form}"
    client = await asyncio.create_subprocess_exec(sys.executable, "-c", CLIENT, str(port), path, str(file), stdout=PIPE)
    watching = asyncio.create_task(waited.watch())
    if await client.wait():
        raise SystemExit(f"the import of {form} failed")
    watching.cancel()
    return waited


async def run_once(form: str, content: bytes) -> dict[str, Waited]:
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(Path(folder) / "profiles.sqlite")
        store.create(NAME)
        file = Path(folder) / "list"
        file.write_bytes(content)
        async with served(store) as port:
            waited = {key: await imported(port, form, file) for key in (f"{form}, new", f"{form}, again")}
        store.close()
    return waited


def measure(count: int) -> dict[str, dict[str, float]]:
    worst: dict[str, Waited] = {}
    for form, content in lists(count).items():
        for _ in range(RUNS):
            for name, waited in asyncio.run(run_once(form, content)).items():
                known = worst.setdefault(name, Waited())
                known.late, known.work = max(known.late, waited.late), max(known.work, waited.work)
    return {name: {"late_ms": round(each.late, 1), "work_ms": round(each.work, 1)} for name, each in worst.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=5000)
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    result: dict[str, Any] = {**facts(), "entries": arguments.entries, "figures": measure(arguments.entries)}
    tell(result, arguments.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
