"""A download by ear: few words, and those that matter."""

import pytest

from tests.unit.models.shop import Heard
from voice_ime.errors import ModelCut
from voice_ime.messages import Messages
from voice_ime.models.aloud import EVERY_S, SILENT_S, SpokenProgress, Watchers, say_error, time_in_words

EN, ZH = Messages("en"), Messages("zh")
MB = 1_000_000


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Download:
    """One that is followed by ear."""

    def __init__(self, megabytes: int | None = 160, messages: Messages = EN) -> None:
        self.heard, self.clock = Heard(), Clock()
        self.progress = SpokenProgress(self.heard, "Small", messages, self.clock)
        self.progress.begin(megabytes)
        self.progress.source("hub")
        self.heard.said.clear()

    def goes(self, megabytes: int, seconds: float, *, begin: int = 0) -> None:
        """From `begin` to `megabytes` within the time, a megabyte at a time."""
        steps = megabytes - begin
        since = self.clock.now
        for step in range(steps + 1):
            self.clock.now = since + seconds * step / max(1, steps)
            self.progress.at("model.onnx", (begin + step) * MB)


def test_at_the_beginning_one_hears_what_is_fetched_and_how_big_it_is() -> None:
    heard = Heard()
    progress = SpokenProgress(heard, "Small", EN, Clock())
    progress.begin(160)
    progress.source("huggingface.co")
    assert heard.said == ["Getting Small, 160 megabytes."]


def test_a_slow_download_tells_each_quarter_and_how_long_it_will_take() -> None:
    download = Download()
    download.goes(160, 160)
    assert download.heard.progressed == [
        "25 percent. About 2 minutes left.",
        "50 percent. About a minute left.",
        "75 percent. Less than a minute left.",
        "100 percent. Less than a minute left.",
    ]


def test_a_quick_download_speaks_no_more_often_than_every_ten_seconds() -> None:
    download = Download()
    download.goes(160, EVERY_S * 1.5)
    assert download.heard.progressed == ["67 percent. Less than a minute left."]
    download = Download()
    download.goes(160, EVERY_S - 1)
    assert download.heard.said == []


def test_a_very_slow_download_is_not_silent_for_longer_than_a_minute() -> None:
    download = Download(1600)
    download.goes(64, 3 * SILENT_S + 10)
    assert download.heard.progressed == [
        "1 percent. About an hour left.",
        "3 percent. About an hour left.",
        "4 percent. About an hour left.",
    ]


def test_where_nobody_knows_the_size_the_megabytes_are_told() -> None:
    download = Download(None)
    download.goes(60, EVERY_S + 5)
    assert download.heard.progressed == ["50 megabytes so far."]


def test_what_was_there_before_a_break_does_not_make_it_look_quick() -> None:
    download = Download()
    download.goes(80, 5)
    download.clock.now += 30
    download.progress.again("hub", 80 * MB)
    download.goes(100, 200, begin=80)
    assert download.heard.progressed[:2] == [
        "The connection to hub broke. It goes on at 80 megabytes.",
        "51 percent. About 13 minutes left.",
    ]


def test_a_line_that_breaks_all_the_time_is_not_told_all_the_time() -> None:
    download = Download()
    for _ in range(20):
        download.clock.now += 1
        download.progress.again("hub", 0)
    assert len(download.heard.said) == 2


def test_another_place_begins_anew_and_is_told() -> None:
    download = Download()
    download.goes(60, 15)
    download.heard.said.clear()
    download.progress.source("mirror")
    download.goes(60, 15)
    assert download.heard.said == [
        "That did not work. It is now tried from mirror.",
        "25 percent. Less than a minute left.",
    ]


def test_a_mandarin_speaker_hears_it_in_mandarin() -> None:
    download = Download(messages=ZH)
    download.goes(160, 160)
    download.clock.now += EVERY_S
    download.progress.checking()
    assert download.heard.said[0] == "已完成百分之 25，大约还要 2 分钟。"
    assert download.heard.said[-1] == "正在检查收到的文件。"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "Less than a minute left"),
        (50, "About a minute left"),
        (89, "About a minute left"),
        (100, "About 2 minutes left"),
        (3500, "About 58 minutes left"),
        (3700, "About an hour left"),
        (9000, "About 2 hours left"),
    ],
)
def test_time_is_told_as_roughly_as_it_is_known(seconds: float, words: str) -> None:
    assert time_in_words(seconds, EN) == words


def test_what_went_wrong_is_said_with_what_to_do() -> None:
    heard, error = Heard(), ModelCut(model="small", where="hub")
    say_error(error, heard, EN)
    assert heard.said == list(EN.error(error))


def test_eye_and_ear_are_told_the_same() -> None:
    eye, ear, clock = Heard(), Heard(), Clock()
    both = Watchers(SpokenProgress(eye, "Small", EN, clock), SpokenProgress(ear, "Small", EN, clock))
    both.begin(3)
    clock.now += EVERY_S
    both.source("one")
    both.source("two")
    both.at("file", MB)
    clock.now += EVERY_S
    both.again("two", 0)
    clock.now += EVERY_S
    both.checking()
    assert eye.said == ear.said
    assert len(ear.said) == 5
