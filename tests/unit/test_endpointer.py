"""When speech begins and ends."""

from collections.abc import Sequence

import pytest

from voice_ime.engine.endpointer import Edge, Endpointer, EndpointRules, Pace
from voice_ime.settings import SpeechSettings

FRAME = 512
RULES = EndpointRules.of(SpeechSettings(), 0.512)


def edges(probabilities: Sequence[float], rules: EndpointRules = RULES) -> list[tuple[Edge, int]]:
    """Each edge with the number of frames after which it came."""
    endpointer = Endpointer(rules, FRAME)
    found = [(endpointer.push(probability), number) for number, probability in enumerate(probabilities, 1)]
    return [(edge, number) for edge, number in found if edge is not None]


def test_two_frames_of_sure_speech_begin_an_utterance() -> None:
    assert edges([0.0, 0.95, 0.9]) == [(Edge.ONSET, 3)]


def test_a_knock_begins_nothing() -> None:
    assert edges([0.0, 0.95, 0.1, 0.0]) == []


def test_noise_that_is_a_little_like_speech_begins_nothing() -> None:
    assert edges(([0.6, 0.6, 0.6] + [0.0] * 30) * 3) == []


def test_soft_speech_begins_an_utterance_once_there_is_enough_of_it() -> None:
    assert [edge for edge, _ in edges([0.6] * 10)] == [Edge.ONSET]


def test_the_utterance_ends_after_the_endpoint_delay_and_not_at_a_pause() -> None:
    speech, pause, end = [0.95] * 10, [0.0] * 15, [0.0] * 16
    assert edges(speech + pause + speech + end) == [(Edge.ONSET, 2), (Edge.ENDPOINT, 51)]


def test_a_probability_that_wavers_does_not_end_it() -> None:
    assert edges([0.95] * 5 + [0.4] * 40) == [(Edge.ONSET, 2)]


def test_push_to_talk_is_ended_by_the_key_alone() -> None:
    assert edges([0.95] * 5 + [0.0] * 500, EndpointRules.of(SpeechSettings(), None)) == [(Edge.ONSET, 2)]


def test_a_sentence_that_is_surely_complete_is_waited_for_no_longer_and_so_is_one_nobody_can_judge() -> None:
    assert RULES.patience(0.95) == RULES.patience(None) == 0


def test_the_less_complete_a_sentence_the_longer_its_pause_is_waited_for() -> None:
    assert 0 < RULES.patience(0.6) < RULES.patience(0.0)


ADAPTS = SpeechSettings(endpoint_adapts=True, endpoint_shortest_s=0.4, endpoint_longest_s=1.2)


def seconds(amount: float) -> int:
    return round(16_000 * amount)


def learnt(pauses_s: Sequence[float], settings: SpeechSettings = ADAPTS, start_s: float = 0.5) -> float:
    """The endpoint delay of somebody who went on speaking after each of these pauses, all of them endpoints."""
    pace = Pace.of(settings, start_s)
    for pause in pauses_s:
        pace = pace.after(pace.delay, seconds(pause))
    return pace.delay / 16_000


def test_whoever_is_cut_short_again_and_again_is_waited_for_longer() -> None:
    assert learnt([0.7, 0.8, 0.85]) == pytest.approx(0.8)


def test_a_pause_between_two_sentences_is_no_cut() -> None:
    assert learnt([2.0]) < 0.5


def test_whoever_is_never_cut_short_is_waited_for_less_long() -> None:
    assert learnt([3.0] * 10) == pytest.approx(0.46)


def test_what_is_learnt_stays_within_its_bounds() -> None:
    assert learnt([3.0] * 1000) == pytest.approx(0.4)
    assert learnt([0.0] * 1000) == pytest.approx(1.2)


def test_who_asks_for_a_longer_or_shorter_delay_than_is_ever_learnt_starts_with_it() -> None:
    assert learnt([], start_s=2.5) == pytest.approx(2.5)
    assert learnt([], start_s=0.2) == pytest.approx(0.2)


def test_nothing_is_learnt_unless_it_is_wanted() -> None:
    assert learnt([0.6, 0.6, 0.6, 3.0], SpeechSettings()) == pytest.approx(0.5)
