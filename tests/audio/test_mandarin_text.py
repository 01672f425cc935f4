"""Mandarin as text: one script, one language, marks and Latin words where they were heard, first syllables kept."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.needs import needs_package, shared
from voice_ime.engine.base import SAMPLE_RATE, Engine, Hypothesis, Options, Samples
from voice_ime.engine.han import Script, Writing
from voice_ime.engine.listener import FinalStep, Listener, PartialStep, Step
from voice_ime.engine.script import ScriptEngine
from voice_ime.engine.speech import SpeechDetector
from voice_ime.personalize.personal import PersonalEngine
from voice_ime.personalize.profile import Preferences, Profile
from voice_ime.personalize.ready import Preparation
from voice_ime.personalize.retrieve import Lexicons
from voice_ime.settings import ScriptSettings, SherpaSettings, SpeechSettings, WhisperSettings

needs_package("faster-whisper")  # brings the detector's model
needs_package("opencc")
needs_package("av")

from voice_ime.engine.whisper import WhisperEngine  # noqa: E402

MICRO = MODELS / "micro_zh"
KINDS = ("streaming-transducer", "streaming-ctc", "transducer", "ctc")
MEETING, WEATHER, WINDOW = "zh-meeting.flac", "zh-weather.flac", "en-window.flac"
SCRIPTS: tuple[Script, ...] = ("simplified", "traditional")


def sherpa(kind: str) -> Engine:
    needs_package("sherpa-onnx")
    needs_package("kaldi-native-fbank")
    from voice_ime.engine.sherpa import SherpaEngine

    return SherpaEngine(SherpaSettings(folder=MICRO / kind, threads=1))


@pytest.fixture(scope="module")
def detector() -> SpeechDetector:
    return SpeechDetector()


@pytest.fixture(scope="module")
def whisper() -> Iterator[Engine]:
    engine = WhisperEngine(WhisperSettings(folder=MODELS / "whisper_micro", threads=1, compute_type="int8"))
    yield engine
    engine.close()


@pytest.fixture(scope="module", params=KINDS)
def mandarin(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = sherpa(request.param)
    yield engine
    engine.close()


class Everybody:
    """Whoever it is, these are the wishes."""

    def __init__(self, **preferences: object) -> None:
        self._profile = Profile(name="ann", preferences=Preferences.model_validate(preferences))

    def current(self, name: str) -> Profile:
        return self._profile


def personal(engine: Engine, **preferences: object) -> Engine:
    return PersonalEngine(engine, Everybody(**preferences), Preparation(Lexicons()))


def pause(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def session(*clips: str) -> Samples:
    return np.concatenate([pause(0.2), *(part for clip in clips for part in (sound_of(MODELS / clip), pause(1.5)))])


def dictated(
    engine: Engine, detector: SpeechDetector, sound: Samples, options: Options, *, chunk: int = 320
) -> tuple[list[Hypothesis], list[Hypothesis]]:
    """(partials, finals) on the whole way from a stream of sound."""
    listener = Listener(detector, engine, options, SpeechSettings())
    partials: list[Hypothesis] = []
    finals: list[Hypothesis] = []

    def work(steps: Iterator[Step]) -> None:
        for step in steps:
            heard = step.run()
            if isinstance(step, FinalStep) and heard is not None:
                finals.append(heard)
            elif isinstance(step, PartialStep) and heard is not None:
                partials.append(heard)

    for begin in range(0, len(sound), chunk):
        work(listener.accept(sound[begin : begin + chunk]))
    work(listener.finalize())
    return partials, finals


def texts(heard: Sequence[Hypothesis]) -> list[str]:
    return [each.text for each in heard]


# --- one script ---


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_sentence_of_a_session_comes_in_the_other_script(
    whisper: Engine, detector: SpeechDetector, script: Script
) -> None:
    engine = personal(whisper, script=script, language="zh")
    partials, finals = dictated(engine, detector, session(MEETING, WEATHER, MEETING), Options(profile="ann"))
    meeting = {"simplified": "今天下午三点开会", "traditional": "今天下午三點開會"}[script]
    weather = {"simplified": "天气很好", "traditional": "天氣很好"}[script]
    assert texts(finals) == [meeting, weather, meeting]
    writing = Writing(script)
    for heard in [*partials, *finals]:
        assert heard.text == writing.text(heard.text)
        assert "".join(word.text for word in heard.words) == heard.text


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_engine_writes_the_script_that_its_person_reads(
    mandarin: Engine, detector: SpeechDetector, script: Script
) -> None:
    engine = personal(mandarin, script=script)
    partials, finals = dictated(
        engine, detector, session("micro_zh/clips/trained-24.ogg"), Options("zh", profile="ann")
    )
    assert texts(finals) == [{"simplified": "老赵的声音在成都", "traditional": "老趙的聲音在成都"}[script]]
    writing = Writing(script)
    assert all(partial.text == writing.text(partial.text) for partial in partials)


def test_what_a_client_asks_for_goes_before_the_profile(whisper: Engine) -> None:
    utterance = personal(whisper, script="traditional").begin(Options("zh", profile="ann", script="simplified"))
    utterance.feed(sound_of(MODELS / MEETING))
    assert utterance.finish().text == "今天下午三点开会"


# --- one language ---


def test_a_language_that_was_chosen_never_flips_whatever_is_said(whisper: Engine, detector: SpeechDetector) -> None:
    sound = session(MEETING, WINDOW, WEATHER)
    partials, finals = dictated(personal(whisper, language="zh"), detector, sound, Options(profile="ann"))
    assert {heard.language for heard in [*partials, *finals] if heard.text} == {"zh"}
    assert (finals[0].text, finals[-1].text) == ("今天下午三点开会", "天气很好")


def test_where_no_language_was_chosen_each_sentence_has_its_own(whisper: Engine, detector: SpeechDetector) -> None:
    _, finals = dictated(whisper, detector, session(MEETING, WINDOW, WEATHER), Options())
    assert [(final.language, final.text) for final in finals] == [
        ("zh", "今天下午三点开会"),
        ("en", "open the window please"),
        ("zh", "天气很好"),
    ]


def test_mandarin_is_neither_translated_nor_spelled_in_pinyin(
    mandarin: Engine, whisper: Engine, detector: SpeechDetector
) -> None:
    _, said = dictated(mandarin, detector, session("micro_zh/clips/trained-22.ogg"), Options("zh"))
    _, heard = dictated(whisper, detector, session(MEETING), Options("zh"))
    for final in [*said, *heard]:
        assert re.fullmatch(r"[\u4e00-\u9fff]+", final.text)


# --- Latin words and marks ---

MIXED = "我用 Python 写 API 文档，然后 push 到 GitHub。你看过 README 吗？"


@pytest.mark.parametrize("script", SCRIPTS)
def test_latin_words_and_marks_in_a_chinese_sentence_stay_as_the_engine_heard_them(script: Script) -> None:
    engine = personal(ScriptEngine(ScriptSettings(lines=(MIXED,))), script=script)
    utterance = engine.begin(Options("zh", profile="ann"))
    utterance.feed(np.full(16 * SAMPLE_RATE, 0.1, np.float32))
    partial, final = utterance.partial(), utterance.finish()
    assert partial is not None
    for heard in (partial, final):
        assert re.findall(r"[A-Za-z]+", heard.text) == ["Python", "API", "push", "GitHub", "README"]
        assert re.findall(r"[，。？]", heard.text) == ["，", "。", "？"]
    assert "".join(word.text for word in final.words) == "".join(final.text.split())
    if script == "traditional":
        assert "寫" in final.text
        assert "写" not in final.text
    else:
        assert final.text == MIXED


# --- first and last syllables ---

CLIPS = sorted((MICRO / "clips").glob("trained-*.ogg"))


def without_silence(sound: Samples) -> Samples:
    """From the first to the last sample of any loudness."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]


def whole_text(engine: Engine, sound: Samples) -> Hypothesis:
    utterance = engine.begin(Options("zh"))
    utterance.feed(sound)
    return utterance.finish()


def in_a_room(sound: Samples, before_s: float, after_s: float) -> Samples:
    """With the silence of a real room around it."""
    whole = np.concatenate([pause(before_s), sound, pause(after_s)])
    return (whole + np.random.default_rng(5).normal(0, 5e-4, len(whole))).astype(np.float32)


@pytest.mark.parametrize("tail_s", [0.0, 0.05])
def test_first_and_last_syllables_are_kept_where_speech_begins_and_ends_with_the_recording(
    mandarin: Engine, detector: SpeechDetector, tail_s: float
) -> None:
    for clip in CLIPS:
        sound = sound_of(clip)
        bare = np.concatenate([without_silence(sound), pause(tail_s)])
        text = "".join(texts(dictated(mandarin, detector, bare, Options("zh"))[1]))
        whole = whole_text(mandarin, sound).text
        assert (text[:1], text[-1:]) == (whole[0], whole[-1]), clip.stem


def test_a_reply_of_one_syllable_is_heard(mandarin: Engine, detector: SpeechDetector) -> None:
    """Cut out of a sentence after its first character, so that the beginning of the next one may still be heard."""
    for clip in CLIPS:
        sound = sound_of(clip)
        first = whole_text(mandarin, sound).words[0]
        assert first.end_s is not None
        syllable = without_silence(sound[: round(first.end_s * SAMPLE_RATE)])
        _, finals = dictated(mandarin, detector, np.concatenate([syllable, pause(1)]), Options("zh"))
        text = "".join(texts(finals))
        assert text[:1] == first.text, clip.stem
        assert len(text) <= 2


@pytest.mark.parametrize(("before_s", "after_s"), [(0.5, 1.5), (0.0, 1.5), (0.0, 0.0)])
def test_short_words_of_real_speech_are_whole_in_one_utterance(
    detector: SpeechDetector, before_s: float, after_s: float
) -> None:
    folder = shared("speech", "zh", "audio_cmn")
    spans = {}
    for path in folder.glob("*.flac"):
        word = without_silence(sound_of(path))
        engine = ScriptEngine(ScriptSettings(lines=("好",)))
        listener = Listener(detector, engine, Options("zh"), SpeechSettings(), partials=False)
        steps = [*listener.accept(in_a_room(word, before_s, after_s)), *listener.finalize()]
        finals = [step for step in steps if isinstance(step, FinalStep)]
        begin = round(before_s * SAMPLE_RATE)
        spans[path.stem] = [step.start <= begin and begin + len(word) <= step.end for step in finals]
    assert {name: found for name, found in spans.items() if found != [True]} == {}
