"""From a stream of sound to utterances."""

import itertools
import tracemalloc

import numpy as np
import pytest

from tests.fakes import EchoEngine, EchoUtterance, LevelDetector, loud, silent
from voice_ime.engine.base import Hypothesis, Options, Samples
from voice_ime.engine.listener import FinalStep, Listener, PartialStep, PrepareStep, Step
from voice_ime.errors import RecognitionFailed
from voice_ime.settings import SpeechSettings

SETTINGS = SpeechSettings(
    before_s=0.32, after_s=0.32, endpoint_delay_s=0.512, longest_s=8, first_partials_s=(), partial_every_s=1.0
)
Heard = tuple[int, int, str, str]


def listener(start_sample: int = 0, endpoints: bool = True, partials: bool = False) -> Listener:
    return Listener(
        LevelDetector(),
        EchoEngine(),
        Options(),
        SETTINGS,
        start_sample=start_sample,
        endpoints=endpoints,
        partials=partials,
    )


def sound(*pieces: Samples) -> Samples:
    return np.concatenate(pieces)


def finals(steps: list[Step]) -> list[Heard]:
    return [(step.start, step.end, step.reason, step.run().text) for step in steps if isinstance(step, FinalStep)]


def hear(listening: Listener, whole: Samples, chunk: int = 320) -> list[Heard]:
    heard: list[Heard] = []
    for start in range(0, len(whole), chunk):
        for step in listening.accept(whole[start : start + chunk]):
            heard += finals([step])
    return heard


TWO = sound(silent(1.024), loud(1.024), silent(2.048), loud(2.048), silent(1.024))


def test_each_stretch_of_speech_becomes_an_utterance_with_some_silence_on_both_sides() -> None:
    assert hear(listener(), TWO) == [
        (16384 - 5120, 32768 + 5120, "endpoint", "26624 samples, 16384 loud"),
        (65536 - 5120, 98304 + 5120, "endpoint", "43008 samples, 32768 loud"),
    ]


@pytest.mark.parametrize("chunk", [16, 320, 592, 16000, 10**9])
def test_the_text_does_not_depend_on_the_pieces_the_sound_comes_in(chunk: int) -> None:
    assert hear(listener(), TWO, chunk) == hear(listener(), TWO, 512)


def test_hearing_again_from_the_end_of_an_utterance_gives_the_same_again() -> None:
    whole = hear(listener(), TWO)
    end = whole[0][1]
    assert hear(listener(start_sample=end), TWO[end:]) == whole[1:]


def test_silence_gives_nothing_and_is_not_kept() -> None:
    listening = listener()
    assert hear(listening, silent(30)) == []
    assert listening.position - listening.needed_from < 2 * 16000


def kept_after(minutes: int) -> int:
    """Bytes that a listener still holds after so much silence."""
    listening = listener()
    tracemalloc.start()
    try:
        for _ in range(minutes * 60):
            assert list(listening.accept(silent(1))) == []
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_three_minutes_of_silence_are_no_more_in_memory_than_one() -> None:
    assert kept_after(3) < kept_after(1) + 1_000_000


def test_the_release_ends_what_is_being_said_to_the_last_sample() -> None:
    listening = listener(endpoints=False)
    hear(listening, sound(silent(0.512), loud(0.999)))
    (final,) = finals(list(listening.finalize()))
    assert final == (8192 - 5120, 8192 + 15984, "finalize", "21104 samples, 15984 loud")


def test_push_to_talk_is_not_ended_by_a_pause() -> None:
    listening = listener(endpoints=False)
    assert hear(listening, sound(loud(1), silent(3), loud(1))) == []
    assert [final[3] for final in finals(list(listening.finalize()))] == ["80000 samples, 32000 loud"]


def test_a_release_without_speech_gives_nothing() -> None:
    listening = listener()
    hear(listening, silent(1))
    assert list(listening.finalize()) == []


def test_a_word_too_short_for_an_onset_is_heard_when_the_key_is_released() -> None:
    listening = listener()
    hear(listening, sound(silent(1.024), loud(0.032), silent(0.3)))
    assert [final[3].split(", ")[1] for final in finals(list(listening.finalize()))] == ["512 loud"]


def test_speech_at_the_very_first_sample_is_whole() -> None:
    listening = listener()
    (final,) = hear(listening, sound(loud(0.512), silent(1.024)))
    assert final[0] == 0
    assert final[3].endswith("8192 loud")


def test_speech_without_pauses_is_cut_at_its_quietest_place_and_no_sound_is_lost_or_doubled() -> None:
    quiet_spot = sound(loud(6), 0.3 * loud(0.2), loud(10), silent(1))
    heard = hear(listener(), quiet_spot)
    assert [final[2] for final in heard] == ["length", "length", "endpoint"]
    assert 6 * 16000 <= heard[0][1] <= 6.2 * 16000
    assert [(earlier[1], later[0]) for earlier, later in itertools.pairwise(heard)] == [
        (later[0], later[0]) for later in heard[1:]
    ]
    assert sum(int(final[3].split(", ")[1].split()[0]) for final in heard) == round(16.2 * 16000)


def test_partials_come_at_fixed_places_of_the_sound() -> None:
    def places(chunk: int) -> list[str]:
        listening = listener(partials=True)
        whole, seen = sound(loud(3.5), silent(1)), []
        for start in range(0, len(whole), chunk):
            for step in listening.accept(whole[start : start + chunk]):
                if isinstance(step, PartialStep) and (hypothesis := step.run()):
                    seen.append(hypothesis.text)
        return seen

    assert places(320) == places(5000) == places(10**9)
    assert len(places(320)) == 3


def test_cancel_forgets_what_was_being_said() -> None:
    listening = listener()
    hear(listening, loud(1))
    listening.cancel(16000)
    assert list(listening.finalize()) == []
    (later,) = hear(listening, sound(silent(1), loud(1), silent(1)))
    assert later[0] >= 16000
    assert later[3].endswith("16000 loud")


def test_cancel_may_skip_sound_that_never_came() -> None:
    listening = listener()
    hear(listening, silent(1))
    listening.cancel(48000)
    assert listening.position == 48000
    (final,) = hear(listening, sound(loud(1), silent(1)))
    assert final[0] == 48000


def test_the_final_is_prepared_once_in_each_pause_with_the_sound_it_will_have() -> None:
    listening, prepared = listener(), []
    whole = sound(loud(1.024), silent(0.4), loud(1.024), silent(1.024))
    for start in range(0, len(whole), 320):
        for step in listening.accept(whole[start : start + 320]):
            if isinstance(step, PrepareStep):
                prepared.append(listening.position)
            if isinstance(step, FinalStep):
                assert len(prepared) == 2
    assert len(prepared) == 2
    assert 16384 + 5120 <= prepared[0] <= 16384 + 6400


def test_push_to_talk_prepares_nothing() -> None:
    listening = listener(endpoints=False)
    assert [step for step in listening.accept(sound(loud(1), silent(2))) if isinstance(step, PrepareStep)] == []


class JudgingEngine(EchoEngine):
    """Can tell how complete a sentence is: as much as it was told, or it fails."""

    def __init__(self, completeness: float | None) -> None:
        super().__init__()
        self.completeness = completeness
        self.judged = 0

    def begin(self, options: Options) -> EchoUtterance:
        return JudgingUtterance(self)


class JudgingUtterance(EchoUtterance):
    def __init__(self, engine: JudgingEngine) -> None:
        super().__init__()
        self._engine = engine

    def completeness(self) -> float:
        self._engine.judged += 1
        if self._engine.completeness is None:
            raise RecognitionFailed(engine="echo")
        return self._engine.completeness


def judged_by(engine: JudgingEngine, settings: SpeechSettings = SETTINGS, start_sample: int = 0) -> Listener:
    return Listener(LevelDetector(), engine, Options(), settings, start_sample=start_sample, partials=False)


HESITATING = sound(loud(1.024), silent(0.7), loud(1.024), silent(2.048))


@pytest.mark.parametrize(("completeness", "utterances"), [(0.95, 2), (0.6, 1), (0.1, 1)])
def test_a_sentence_that_may_not_be_finished_is_waited_for(completeness: float, utterances: int) -> None:
    assert len(hear(judged_by(JudgingEngine(completeness)), HESITATING)) == utterances


def test_the_utterance_ends_even_if_its_sentence_never_does() -> None:
    endless = [step for step in judged_by(JudgingEngine(0.0)).accept(HESITATING) if isinstance(step, FinalStep)]
    assert [step.reason for step in endless] == ["endpoint"]
    assert (
        endless[0].decided - endless[0].speech_end <= 16_000 * (SETTINGS.endpoint_delay_s + SETTINGS.open_more_s) + 512
    )


def test_each_pause_is_judged_once() -> None:
    engine = JudgingEngine(0.1)
    hear(judged_by(engine), HESITATING)
    assert engine.judged == 2


def test_where_judging_fails_the_usual_silence_ends_the_utterance() -> None:
    assert len(hear(judged_by(JudgingEngine(None)), HESITATING)) == 2


@pytest.mark.parametrize("chunk", [16, 592, 10**9])
def test_waiting_depends_on_the_sound_and_not_on_its_pieces(chunk: int) -> None:
    whole = sound(HESITATING, TWO)
    assert hear(judged_by(JudgingEngine(0.5)), whole, chunk) == hear(judged_by(JudgingEngine(0.5)), whole, 512)


def test_the_key_ends_an_unfinished_sentence_at_once() -> None:
    listening = judged_by(JudgingEngine(0.0))
    assert hear(listening, sound(loud(1.024), silent(0.7))) == []
    assert len(finals(list(listening.finalize()))) == 1


SLOW = np.concatenate([sound(loud(1.024), silent(0.75))] * 6)


def test_somebody_who_speaks_slowly_is_soon_left_to_finish() -> None:
    adapting = SETTINGS.model_copy(update={"endpoint_adapts": True})
    listening = judged_by(JudgingEngine(1.0), adapting)
    assert len(hear(listening, SLOW)) < len(hear(judged_by(JudgingEngine(1.0)), SLOW)) == 6
    assert listening.endpoint_delay_s is not None
    assert listening.endpoint_delay_s > SETTINGS.endpoint_delay_s


def test_another_listener_can_go_on_with_what_was_learnt() -> None:
    adapting = SETTINGS.model_copy(update={"endpoint_adapts": True})
    whole = sound(SLOW, silent(2), SLOW, silent(2))
    first = judged_by(JudgingEngine(1.0), adapting)
    before, after = hear(first, whole[: len(SLOW) + 32_000]), hear(first, whole[len(SLOW) + 32_000 :])
    again = judged_by(JudgingEngine(1.0), adapting)
    assert hear(again, whole[: len(SLOW) + 32_000]) == before
    second = Listener(
        LevelDetector(),
        JudgingEngine(1.0),
        Options(),
        adapting,
        start_sample=before[-1][1],
        endpoint_delay_s=again.endpoint_delay_s,
        partials=False,
    )
    assert [heard[:3] for heard in hear(second, whole[before[-1][1] :])] == [heard[:3] for heard in after]


def test_the_first_second_has_more_partials_and_none_of_them_depends_on_the_pieces() -> None:
    dense = SETTINGS.model_copy(update={"first_partials_s": (0.2, 0.4, 0.6), "partial_every_s": 1.0})

    def places(chunk: int) -> list[str]:
        listening = Listener(LevelDetector(), EchoEngine(), Options(), dense)
        whole, seen = sound(silent(1.024), loud(3), silent(1)), []
        for start in range(0, len(whole), chunk):
            for step in listening.accept(whole[start : start + chunk]):
                if isinstance(step, PartialStep) and (hypothesis := step.run()):
                    seen.append(hypothesis.text.split(", ")[1])
        return seen

    assert places(320) == places(10**9)
    assert [int(each.split()[0]) / 16_000 for each in places(320)] == pytest.approx([0.2, 0.4, 0.6, 1.6, 2.6], abs=0.07)


class CountingEngine(EchoEngine):
    """Counts the samples of all that is decoded: what it would cost."""

    def __init__(self) -> None:
        super().__init__()
        self.decoded = 0

    def begin(self, options: Options) -> EchoUtterance:
        return CountingUtterance(self)


class CountingUtterance(EchoUtterance):
    def __init__(self, engine: CountingEngine) -> None:
        super().__init__()
        self._engine = engine

    def _hypothesis(self, final: bool) -> Hypothesis:
        self._engine.decoded += len(self._sound)
        return super()._hypothesis(final)


def test_minutes_without_a_pause_cost_the_same_each_and_come_as_utterances_of_bearable_length() -> None:
    engine, ends = CountingEngine(), [0]
    listening = Listener(LevelDetector(), engine, Options(), SpeechSettings())
    by_minute: list[int] = []
    for _ in range(5):
        before = engine.decoded
        for _ in range(60):
            for step in listening.accept(loud(1)):
                step.run()
                ends += [step.end] if isinstance(step, FinalStep) else []
        by_minute.append(engine.decoded - before)
    assert max(by_minute) < 1.3 * min(by_minute)
    assert max(later - earlier for earlier, later in itertools.pairwise(ends)) <= 21 * 16_000
    assert len(ends) >= 15


def test_in_long_utterances_partials_become_rarer_but_there_is_one_a_second() -> None:
    listening, places = Listener(LevelDetector(), EchoEngine(), Options(), SpeechSettings()), []
    for step in listening.accept(loud(19)):
        if isinstance(step, PartialStep) and (hypothesis := step.run()):
            places.append(int(hypothesis.text.split()[0]) / 16_000)
    gaps = [later - earlier for earlier, later in itertools.pairwise(places)]
    assert max(gaps) < 1
    assert gaps[-1] > gaps[10]


def test_a_listener_says_how_much_sound_it_takes_to_know_more() -> None:
    listening = listener()
    assert listening.missing == 512
    assert list(listening.accept(silent(0.02))) == []
    assert listening.missing == 192
    assert list(listening.accept(silent(0.012))) == []
    assert listening.missing == 512
