"""An X server without a screen and with nothing else: for tests that need keys and no windows."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.needs import needs_debian


@contextmanager
def virtual_display() -> Iterator[str]:
    """Its name, e.g. ":7"; the test skips where there is none."""
    with virtual_display_process() as (name, _):
        yield name


@contextmanager
def virtual_display_process() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Also its process, for tests that kill it."""
    needs_debian("xvfb", "Xvfb")
    ours, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, pass_fds=(theirs,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(theirs)
    try:
        with os.fdopen(ours) as pipe:
            yield ":" + pipe.readline().strip(), process  # comes when it is ready
    finally:
        process.terminate()
        process.wait()
