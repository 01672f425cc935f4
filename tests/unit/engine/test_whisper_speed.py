"""Choosing the kind of computation and the number of threads."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.contract.engine_contract import MODELS
from tests.needs import needs_package

needs_package("faster-whisper")

from voice_ime.engine.whisper_speed import Speed, best_speed, fastest, thread_counts  # noqa: E402

MICRO = MODELS / "whisper_micro"


@dataclass
class Machine:
    """Takes so many seconds at each speed."""

    takes_s: Mapping[Speed, float]
    tried: list[Speed] = field(default_factory=list)

    def seconds(self, speed: Speed) -> float:
        self.tried.append(speed)
        return self.takes_s[speed]


def machine(**takes_s: float) -> Machine:
    """`int8_2=0.5`: half a second for int8 with two threads."""
    return Machine({Speed(name.partition("_")[0], int(name.partition("_")[2])): each for name, each in takes_s.items()})


def choose(on: Machine, counts: tuple[int, ...] = (1, 2, 4), deadline: float = math.inf) -> Speed:
    return fastest(("int8", "float32"), counts, on.seconds, deadline=deadline)


def test_the_fastest_kind_of_computation_is_taken():
    assert choose(machine(int8_1=0.3, float32_1=0.1, float32_2=0.1)) == Speed("float32", 1)


def test_int8_is_taken_where_float_is_hardly_faster():
    """It takes a quarter of the memory."""
    assert choose(machine(int8_1=0.30, float32_1=0.28, int8_2=0.29)) == Speed("int8", 1)


def test_more_threads_are_taken_as_long_as_they_are_worth_it():
    assert choose(machine(int8_1=0.5, float32_1=0.9, int8_2=0.3, int8_4=0.29)) == Speed("int8", 2)
    assert choose(machine(int8_1=0.5, float32_1=0.9, int8_2=0.3, int8_4=0.2)) == Speed("int8", 4)


def test_a_machine_of_one_core_gets_one_thread():
    assert choose(machine(int8_1=0.5, float32_1=0.9), counts=(1,)) == Speed("int8", 1)


def test_no_further_try_is_begun_when_the_time_is_over():
    slow = machine(int8_1=9.0)
    assert choose(slow, deadline=-math.inf) == Speed("int8", 1)
    assert slow.tried == [Speed("int8", 1)]


@pytest.mark.parametrize(
    ("cores", "counts"), [(1, (1,)), (2, (1, 2)), (3, (1, 2, 3)), (4, (1, 2, 4)), (6, (1, 2, 4, 6)), (64, (1, 2, 4, 8))]
)
def test_threads_are_tried_up_to_the_cores_and_never_more_than_eight(cores: int, counts: tuple[int, ...]):
    assert thread_counts(cores) == counts


def test_what_the_settings_say_is_not_tried():
    assert best_speed(Path("nowhere"), "float32", 3, None) == Speed("float32", 3)


def found(compute_type: str, kept: Path | None = None, *, busy: bool = False) -> Speed:
    """The best speed for the micro model on a machine that is busy or not."""
    return best_speed(MICRO, compute_type, 0, kept, is_busy=lambda: busy)


def test_a_kind_of_computation_that_is_set_is_kept_and_its_threads_are_found():
    assert found("float32").compute_type == "float32"
    assert found("float32").threads >= 1


def test_on_a_busy_machine_the_usual_is_taken_and_tried_out_another_time(tmp_path: Path):
    file = tmp_path / "speeds.json"
    assert found("auto", file, busy=True).compute_type == "int8"
    assert not file.exists()


def test_the_outcome_is_kept_for_this_model_and_machine(tmp_path: Path):
    file = tmp_path / "state" / "speeds.json"
    first = found("auto", file)
    (key, outcome), *others = json.loads(file.read_text()).items()
    assert outcome == {"compute_type": first.compute_type, "threads": first.threads}
    assert others == []
    file.write_text(json.dumps({key: {"compute_type": "int8", "threads": 7}}))
    assert found("auto", file, busy=True) == Speed("int8", 7)


@pytest.mark.parametrize("spoilt", ["", "[]", "{", '{"whisper": 3}'])
def test_a_spoilt_file_of_outcomes_is_written_anew(tmp_path: Path, spoilt: str):
    file = tmp_path / "speeds.json"
    file.write_text(spoilt)
    found("int8", file)
    assert any("whisper_micro" in key for key in json.loads(file.read_text()))


@pytest.mark.parametrize(
    "spoilt",
    [{}, {"compute_type": "int8"}, {"compute_type": "int9", "threads": 1}, {"compute_type": "int8", "threads": 0}],
)
def test_an_outcome_that_makes_no_sense_is_found_out_anew(tmp_path: Path, spoilt: dict[str, object]):
    file = tmp_path / "speeds.json"
    found("int8", file)
    key = next(iter(json.loads(file.read_text())))
    file.write_text(json.dumps({key: spoilt}))
    anew = found("int8", file)
    assert anew.compute_type == "int8"
    assert anew.threads >= 1


def test_a_trial_that_fails_does_not_keep_the_engine_from_starting():
    assert found("no such computation").compute_type == "no such computation"


def test_where_the_outcome_cannot_be_kept_it_counts_for_this_time(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    assert found("int8", tmp_path / "file" / "speeds.json").threads >= 1
