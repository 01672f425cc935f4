"""Who asks at a steady pace is never told to wait; who asks too fast is, until the next moment."""

import pytest

from voice_ime.errors import TooFast
from voice_ime.server.allowance import Allowance


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_requests_are_counted_over_two_seconds() -> None:
    time = Time()
    allowance = Allowance(5, time)
    for _ in range(10):
        allowance.spend()
    with pytest.raises(TooFast):
        allowance.spend()
    time.now += 0.2
    allowance.spend()
    with pytest.raises(TooFast):
        allowance.spend()


def test_waiting_long_earns_no_more_than_two_seconds() -> None:
    time = Time()
    allowance = Allowance(5, time)
    time.now += 3600
    for _ in range(10):
        allowance.spend()
    with pytest.raises(TooFast):
        allowance.spend()
