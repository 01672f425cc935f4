"""When the collector of garbage looks through everything there is: while nobody speaks.

It stops every thread while it does, for 20 ms to 1 s, as many entries and words are loaded. Left to itself it would do
so whenever many new objects were made, as by an import in the midst of somebody's sentence. What is new it looks
through all the time, within a millisecond.
"""

import asyncio
import gc
from collections.abc import Callable

from voice_ime.uncollected import NEVER

EVERY_S = 60.0
LONGEST_S = 1800.0
"""After this it is done even though somebody speaks all the time: else memory would only grow."""
ENOUGH = 10
"""So many looks at what was new before there is something to be found."""


def leave_old_objects_alone() -> None:
    """What was loaded until now stays to the end, and is never looked through. From now on `sweep` is needed."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, NEVER)
    gc.collect()
    gc.freeze()


async def sweep(is_quiet: Callable[[], bool], every_s: float = EVERY_S, longest_s: float = LONGEST_S) -> None:
    """Until cancelled. `is_quiet`: whether nobody speaks just now."""
    waited_s = 0.0
    while True:
        await asyncio.sleep(every_s)
        waited_s += every_s
        if gc.get_count()[2] >= ENOUGH and (is_quiet() or waited_s >= longest_s):
            gc.collect()
            waited_s = 0.0
