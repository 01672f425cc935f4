"""From a stream of sound to utterances."""

import itertools

import numpy as np
import pytest

from tests.fakes import EchoEngine, LevelDetector, loud, silent
from voice_ime.engine.base import Options, Samples
from voice_ime.engine.listener import FinalStep, Listener, PartialStep, PrepareStep, Step
from voice_ime.settings import SpeechSettings

SETTINGS = SpeechSettings(before_s=0.32, after_s=0.32, endpoint_delay_s=0.512, longest_s=8, first_partials_s=(), partial_every_s=1.0)
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
