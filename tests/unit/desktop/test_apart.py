"""Speaking beside work that waits: never in its way."""

import asyncio
import threading

from voice_ime_desktop.announce.apart import ApartAnnouncer
from voice_ime_desktop.announce.recording import RecordingAnnouncer
from voice_ime_desktop.focus.base import Kind, Target
from voice_ime_desktop.focus.recording import FakeDesk, FakeField
from voice_ime_desktop.read_out import ReadOut


def test_all_is_said_in_order_and_in_the_language() -> None:
    heard = RecordingAnnouncer()
    with ApartAnnouncer(heard, "zh") as voice:
        voice.say("正在获取。")
        voice.progress("已完成百分之 25。")
        voice.say("完好。")
    assert heard.spoken == ["正在获取。", "已完成百分之 25。", "完好。"]
    assert set(heard.languages) == {"zh"}


def test_the_person_can_have_it_silent() -> None:
    heard = RecordingAnnouncer()
    with ApartAnnouncer(heard, "en") as voice:
        voice.say("You dictate in: Chinese.")
        voice.quiet()
    assert heard.quieted == 1


def test_where_there_is_no_speech_nothing_is_said_and_nothing_fails() -> None:
    heard = RecordingAnnouncer(available=False)
    with ApartAnnouncer(heard, "en") as voice:
        voice.say("Getting it.")
        voice.quiet()
    assert heard.heard == []


class Stuck(RecordingAnnouncer):
    """A speech service that does not answer; `end` is set when nobody waits for it any more."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = threading.Event()

    async def start(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


def test_a_service_that_does_not_answer_is_not_waited_for() -> None:
    stuck = Stuck()
    with ApartAnnouncer(stuck, "en", end_s=0.05) as voice:
        for percent in range(100):
            voice.progress(f"{percent} percent.")
    assert stuck.ended.wait(10)
    assert stuck.heard == []


class Broken(RecordingAnnouncer):
    def say(self, sentence: str, language: str) -> None:
        raise RuntimeError(sentence)


def test_a_voice_that_breaks_does_not_break_the_work() -> None:
    with ApartAnnouncer(Broken(), "en") as voice:
        voice.say("Getting it.")
        voice.say("It is here.")
    voice.say("too late")


def test_what_the_screen_reader_reads_from_the_terminal_is_not_said_twice() -> None:
    heard, desk = RecordingAnnouncer(), FakeDesk()
    terminal = FakeField(Target("terminal", Kind.TERMINAL, readable=True, process=1))
    desk.focus_on(terminal)
    read_out = ReadOut(lambda: desk, lambda: ["orca"], shows=lambda process, ours: True)
    with ApartAnnouncer(heard, "en", read_out) as voice:
        voice.say("Getting it.")
    assert heard.spoken == []
