"""Making very many objects at a time, without the collector of garbage looking through everything there is.

It stops every thread while it does: some tenths of a second where a profile and the words of a language are loaded, in
which nobody is heard.
"""

import contextlib
import gc
from collections.abc import Iterator

NEVER = 1 << 30


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Short work. What is new is looked through as ever, which takes no time. Several threads may be in it: the last
    one out is early, no more."""
    young, middle, old = gc.get_threshold()
    if old == NEVER:
        yield
        return
    gc.set_threshold(young, middle, NEVER)
    try:
        yield
    finally:
        gc.set_threshold(young, middle, old)
