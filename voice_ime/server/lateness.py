"""How late the event loop is: what benchmarks ask a server that was told to answer this."""

import asyncio
from collections.abc import Sequence

EVERY_S = 0.005
MOST_S = 600.0

PATH = "/lateness"


async def lateness_ms(seconds: float) -> dict[str, float]:
    """Sleeps of 5 ms in a row for `seconds`: how much later than it should each of them ended, {p50, p99, max}."""
    loop = asyncio.get_running_loop()
    until = loop.time() + min(seconds, MOST_S)
    late: list[float] = []
    while (now := loop.time()) < until:
        await asyncio.sleep(EVERY_S)
        late.append(1000 * (loop.time() - now - EVERY_S))
    return summary(late)


def summary(late: Sequence[float]) -> dict[str, float]:
    """{p50, p99, max} of at least one figure, each the smallest that so many do not exceed."""
    ranked = sorted(late)
    last = len(ranked) - 1
    return {name: round(ranked[round(last * share)], 1) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}
