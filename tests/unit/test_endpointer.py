"""When speech begins and ends."""

from collections.abc import Sequence

from voice_ime.engine.endpointer import Edge, Endpointer, EndpointRules
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
