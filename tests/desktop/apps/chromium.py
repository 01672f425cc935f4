"""Chromium with a page that has one field of each kind; asked through its own debugging pipe."""

import itertools
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from witness import Field, Witness, first_field

PAGE = """<!doctype html><meta charset=utf-8><title>chromium</title>
<textarea id=text rows=10 cols=60></textarea><p><input id=line size=60><p><input id=password type=password>
<p><textarea id=readonly readonly></textarea><p><button id=button>Press</button>
<script>document.getElementById("FIRST").focus()</script>"""
FLAGS = """--no-sandbox --no-first-run --disable-gpu --password-store=basic --force-renderer-accessibility
--disable-background-networking --disable-component-update --disable-sync --disable-quic --disable-extensions
--disable-dev-shm-usage --remote-debugging-pipe"""
FIELDS = ("text", "line", "password", "readonly", "button")


class Browser:
    """Chromium reads commands from its descriptor 3 and answers on 4, each ended by a zero byte."""

    def __init__(self, folder: Path) -> None:
        page = folder / "page.html"
        page.write_text(PAGE.replace("FIRST", first_field()))
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        command = ["chromium", *FLAGS.split(), f"--user-data-dir={folder}/profile", f"--app={page.as_uri()}"]
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "sh", *command],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session = self._attach()

    def evaluate(self, expression: str) -> Any:
        answer = self._call("Runtime.evaluate", {"expression": expression}, sessionId=self._session)
        return answer.get("result", {}).get("value")

    def _attach(self) -> str:
        while True:
            targets = self._call("Target.getTargets", {})["targetInfos"]
            if pages := [one for one in targets if one["type"] == "page" and one["url"].startswith("file:")]:
                break
        attached = self._call("Target.attachToTarget", {"targetId": pages[0]["targetId"], "flatten": True})
        return str(attached["sessionId"])

    def _call(self, method: str, params: dict[str, Any], **more: str) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params, **more}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            pass
        result: dict[str, Any] = answer.get("result", {})
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            block = os.read(self._from, 65536)
            if not block:
                raise SystemExit(1)
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(line)
        return answer


def field_of(browser: Browser, name: str) -> Field:
    element = f'document.getElementById("{name}")'
    painted = "performance.getEntriesByName('first-contentful-paint').length > 0"  # before it, keys are dropped
    focused = f"{painted} && document.hasFocus() && document.activeElement === {element}"
    return Field(
        lambda: str(browser.evaluate(f"{element}.value") or ""),
        lambda: browser.evaluate(f"{element}.focus()"),
        lambda: bool(browser.evaluate(focused)),
    )


def serve(read: Callable[[], bool]) -> None:
    while read():
        pass


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    browser = Browser(Path(folder))
    serve(Witness({name: field_of(browser, name) for name in FIELDS}, browser.process.terminate).read)
    browser.process.wait()
