"""The dictation session without sockets, threads or models."""

import pytest

from voice_ime import protocol as wire
from voice_ime.engine.base import Hypothesis, Word
from voice_ime.engine.listener import FinalStep, PartialStep
from voice_ime.errors import AudioGap, AudioOverlap, OutOfOrder, TooManyUnkept
from voice_ime.session import Delays, Forget, Release, Session, Sound, Teach

HELLO = wire.Hello(version=1, session="session-1")
DELAYS = Delays(queue_s=0.0, final_s=0.1)


def session(hello: wire.Hello = HELLO, max_unkept: int = 10) -> Session:
    return Session(hello, max_unkept)


def frame(offset: int, samples: int) -> wire.AudioFrame:
    return wire.AudioFrame(offset, bytes(2 * samples))


def final_step(start: int = 0, end: int = 16000, decided: int = 24000) -> FinalStep:
    return FinalStep(start, end, decided, end - 4800, "endpoint", 0.01, lambda: Hypothesis("unused"))


def partial(state: Session, text: str, start: int = 0) -> tuple[str, str]:
    (message,) = state.partial(PartialStep(start, lambda: None), Hypothesis(text))
    assert isinstance(message, wire.Partial)
    return message.stable, message.unstable


def said(state: Session, text: str, start: int = 0, end: int = 16000) -> wire.Final:
    (message,) = state.final(final_step(start, end), Hypothesis(text), DELAYS)
    assert isinstance(message, wire.Final)
    return message


def test_sound_that_follows_on_becomes_work() -> None:
    state = session()
    assert state.audio(frame(0, 10)) == [Sound(bytes(20))]
    assert state.audio(frame(10, 5)) == [Sound(bytes(10))]
    assert state.received == 15


def test_missing_sound_is_an_error_that_says_where_to_send_from_and_changes_nothing() -> None:
    state = session()
    state.audio(frame(0, 10))
    with pytest.raises(AudioGap) as raised:
        state.audio(frame(12, 10))
    assert raised.value.values == {"expected": 10, "got": 12}
    assert state.audio(frame(10, 2)) == [Sound(bytes(4))]


def test_sound_sent_twice_is_used_once() -> None:
    state = session()
    state.audio(frame(0, 10))
    with pytest.raises(AudioOverlap):
        state.audio(frame(0, 10))
    assert state.audio(wire.AudioFrame(8, b"aabbcc")) == [Sound(b"cc")]
    assert state.received == 11


def test_a_release_comes_after_the_sound_before_it_however_the_sound_is_cut() -> None:
    state = session()
    assert state.message(wire.Finalize(sample=6)) == []
    assert state.audio(frame(0, 4)) == [Sound(bytes(8))]
    assert state.audio(frame(4, 4)) == [Sound(bytes(4)), Release(6), Sound(bytes(4))]


def test_a_release_repeated_after_its_answer_is_answered_again_without_work() -> None:
    state = session()
    state.audio(frame(0, 4))
    assert state.message(wire.Finalize(sample=4)) == [Release(4)]
    assert state.released(4) == [wire.Finalized(sample=4)]
    assert state.message(wire.Finalize(sample=4)) == [wire.Finalized(sample=4)]


def test_a_final_is_sent_again_after_a_cut_until_the_client_has_kept_it() -> None:
    state = session()
    first, second = said(state, "One."), said(state, "Two.", 16000, 32000)
    assert state.resume(HELLO) == [first, second]
    state.message(wire.Kept(utterance=first.utterance))
    assert state.resume(HELLO) == [second]


def test_what_the_client_says_it_has_when_it_comes_back_counts_as_kept() -> None:
    state = session()
    state.audio(frame(0, 40000))
    said(state, "One.")
    second = said(state, "Two.", 16000, 32000)
    assert state.resume(HELLO.model_copy(update={"resume_from": 16000})) == [second]


def test_a_client_that_never_keeps_its_finals_is_told() -> None:
    state = session(max_unkept=1)
    said(state, "One.")
    state.check_kept()
    said(state, "Two.", 16000, 32000)
    with pytest.raises(TooManyUnkept):
        state.check_kept()


def test_the_server_has_not_finished_with_sound_whose_final_is_not_kept() -> None:
    state = session()
    final = said(state, "One.", 20000, 32000)
    assert state.finished(64000) == [wire.Finished(sample=20000)]
    assert state.finished(64000) == []
    state.message(wire.Kept(utterance=final.utterance))
    assert state.finished(64000) == [wire.Finished(sample=64000)]


def test_cancelled_speech_gives_no_final_even_if_it_is_being_decoded() -> None:
    state = session()
    state.audio(frame(0, 16000))
    assert state.message(wire.Cancel(start=0, sample=16000)) == [Forget(16000)]
    assert state.final(final_step(), Hypothesis("Never mind."), DELAYS) == []
    assert said(state, "But this.", 16000, 32000).text == "But this."


def test_cancelling_what_is_said_now_leaves_what_was_said_before() -> None:
    state = session()
    state.audio(frame(0, 32000))
    state.message(wire.Cancel(start=16000, sample=32000))
    assert said(state, "This stays.", 0, 16000).text == "This stays."
    assert state.final(final_step(16000, 32000), Hypothesis("This goes."), DELAYS) == []


def test_a_cancel_that_came_after_a_cut_skips_the_sound_that_was_never_sent() -> None:
    state = session()
    state.audio(frame(0, 10))
    assert state.message(wire.Cancel(start=5, sample=50)) == [Forget(50)]
    assert state.audio(frame(50, 5)) == [Sound(bytes(10))]


def test_a_release_whose_sound_is_cancelled_is_answered_all_the_same() -> None:
    state = session()
    state.message(wire.Finalize(sample=60))
    assert state.message(wire.Cancel(start=0, sample=100)) == [Release(60), Forget(100)]
    assert state.audio(frame(100, 5)) == [Sound(bytes(10))]
    assert state.received == 105


def test_a_repeated_cancel_is_answered_and_does_no_harm() -> None:
    state = session()
    state.audio(frame(0, 10))
    state.message(wire.Cancel(start=0, sample=10))
    state.audio(frame(10, 10))
    assert state.message(wire.Cancel(start=0, sample=10)) == [wire.Cancelled(sample=10)]


def test_nothing_heard_gives_no_final() -> None:
    assert session().final(final_step(), Hypothesis(""), DELAYS) == []


def test_utterances_are_joined_with_blanks_and_capitals_by_what_stands_before_the_caret() -> None:
    state = session()
    state.message(wire.Context(before="We waited,"))
    assert [said(state, "And then.").edits[0].text, said(state, "It came.").edits[0].text] == [
        " and then.",
        " It came.",
    ]


def test_chinese_utterances_are_joined_without_blanks() -> None:
    state = session()
    state.message(wire.Context(before="你好。"))
    assert said(state, "今天天气很好。").edits[0].text == "今天天气很好。"


def test_word_times_count_from_the_start_of_the_session() -> None:
    state = session()
    hypothesis = Hypothesis("Hi there.", (Word("Hi", 0.5, 0.75, 0.9, ("High",)), Word("there.", None, None, 0.8)))
    (final,) = state.final(final_step(start=32000, end=48000), hypothesis, DELAYS)
    assert isinstance(final, wire.Final)
    assert [(word.start_s, word.end_s) for word in final.words] == [(2.5, 2.75), (None, None)]
    assert final.words[0].alternatives == ("High",)


def test_a_correction_is_learned_before_anything_further_is_recognised() -> None:
    correction = wire.Correction(utterance="u0", heard="Cowalsky", meant="Kowalski")
    assert session().message(correction) == [Teach(correction)]


def test_a_second_hello_is_out_of_order() -> None:
    with pytest.raises(OutOfOrder):
        session().message(HELLO)


def test_the_stable_part_of_partials_only_grows() -> None:
    state = session()
    seen = [
        partial(state, text)
        for text in (
            "It was.",
            "It was the beast.",
            "It was the best of.",
            "It was the best of times.",
            "It is the best of times, it",
            "It was the best of times, it was.",
        )
    ]
    assert seen == [
        ("", "It was."),
        ("It", " was the beast."),
        ("It was the", " best of."),
        ("It was the best", " of times."),
        ("It was the best", " of times, it"),
        ("It was the best", " of times, it was."),
    ]


def test_a_new_utterance_starts_with_nothing_stable() -> None:
    state = session()
    partial(state, "one two three")
    assert partial(state, "one two three four")[0] == "one two"
    assert partial(state, "one two three four", start=16000) == ("", "one two three four")


def test_chinese_partials_become_stable_character_by_character() -> None:
    state = session()
    partial(state, "今天天汽")
    assert partial(state, "今天天气很好") == ("今天天", "气很好")


def test_the_final_delay_and_the_endpoint_delay_are_reported() -> None:
    timings = said(session(), "Hello.").timings
    assert timings.endpoint_s == pytest.approx((24000 - 11200) / 16000)
    assert timings.final_s == 0.1
