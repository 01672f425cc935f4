"""The engine that says what it was told to say."""

import numpy as np

from voice_ime.engine.base import Options, Samples
from voice_ime.engine.script import ScriptEngine, ScriptUtterance, spoken_by
from voice_ime.settings import ScriptSettings


def sound(seconds: float) -> Samples:
    return np.full(round(seconds * 16_000), 0.1, np.float32)


def utterance_of(engine: ScriptEngine, seconds: float) -> ScriptUtterance:
    utterance = engine.begin(Options())
    utterance.feed(sound(seconds))
    return utterance


def said(engine: ScriptEngine) -> str:
    return utterance_of(engine, 1).finish().text


def test_each_utterance_hears_the_next_line_and_after_the_last_the_first_again():
    engine = ScriptEngine(ScriptSettings(lines=("one", "two")))
    assert [said(engine) for _ in range(5)] == ["one", "two", "one", "two", "one"]


def test_without_lines_nothing_is_heard():
    assert said(ScriptEngine(ScriptSettings(lines=()))) == ""


def test_words_come_at_the_pace_of_speech():
    assert spoken_by("one two three four", 0.2) == ""
    assert spoken_by("one two three four", 0.7) == "one two"
    assert spoken_by("one two three four", 9) == "one two three four"
    assert spoken_by("今天下午开会", 1.0) == "今天下午"


def test_partials_grow_with_the_sound_and_are_told_once():
    utterance = ScriptEngine(ScriptSettings(lines=("one two three",))).begin(Options())
    texts = []
    for _ in range(6):
        utterance.feed(sound(0.3))
        partial = utterance.partial()
        texts.append(partial.text if partial else None)
    assert texts == [None, "one", "one two", "one two three", None, None]


def test_the_final_is_the_whole_line_however_short_the_sound():
    assert utterance_of(ScriptEngine(ScriptSettings(lines=("one two three",))), 0.1).finish().text == "one two three"


def test_words_are_certain_and_without_times():
    final = utterance_of(ScriptEngine(ScriptSettings(lines=("好的， ok.",))), 1).finish()
    assert [(word.text, word.confidence, word.start_s) for word in final.words] == [
        ("好", 1.0, None),
        ("的，", 1.0, None),
        ("ok.", 1.0, None),
    ]


def test_a_line_that_was_not_said_is_for_the_next_utterance():
    engine = ScriptEngine(ScriptSettings(lines=("one", "two")))
    utterance_of(engine, 1).cancel()
    assert engine.begin(Options()).finish().text == ""
    assert said(engine) == "one"


def test_two_utterances_at_once_hear_different_lines():
    engine = ScriptEngine(ScriptSettings(lines=("one", "two", "three")))
    first, second = utterance_of(engine, 1), utterance_of(engine, 1)
    first.cancel()
    assert second.finish().text == "two"
    assert said(engine) == "three"


def test_it_can_be_slow_and_says_how_slow():
    final = utterance_of(ScriptEngine(ScriptSettings(lines=("one",), decode_s=0.01)), 1).finish()
    assert final.timings == {"decode_s": 0.01}
