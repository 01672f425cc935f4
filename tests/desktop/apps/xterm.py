"""xterm, running a program that keeps every character it is sent. Seen by no accessibility.

Started without `recorder`, this opens the xterm; with it, it is the program inside. Only the window manager knows
whether the window has the focus, so `focused` asks the X server's properties through xprop.
"""

import os
import subprocess
import sys
import tempfile
import tty
from pathlib import Path

from witness import Field, Witness


def record(file: str) -> None:
    """Echo and line editing both off, as at the prompt of a shell."""
    tty.setraw(0)
    with open(file, "wb", buffering=0) as kept:
        while block := os.read(0, 4096):
            kept.write(block)
            os.write(1, block)


def active_window() -> str:
    shown = subprocess.run(["xprop", "-root", "_NET_ACTIVE_WINDOW"], capture_output=True, text=True, check=False)
    window = shown.stdout.split()[-1:]
    named = subprocess.run(["xprop", "-id", *window, "WM_CLASS"], capture_output=True, text=True, check=False)
    return named.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "typed")
        inside = [sys.executable, __file__, "recorder", str(file)]
        process = subprocess.Popen(["xterm", "-class", "VoiceTest", "-u8", "-e", *inside], stdin=subprocess.DEVNULL)

        def typed() -> str:
            return file.read_text(errors="replace") if file.exists() else ""

        field = Field(typed, lambda: None, lambda: file.exists() and "VoiceTest" in active_window())
        witness = Witness({"terminal": field}, process.terminate)
        while witness.read():
            pass
        process.wait()


if sys.argv[1] == "recorder":
    record(sys.argv[2])
else:
    main()
