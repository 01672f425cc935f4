"""Dictating in a terminal, judged by the lines that a person hears."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from voice_ime import protocol as wire
from voice_ime.client import Connected, Disconnected, Event
from voice_ime.dictating import Dictation, Key, Recording, SentTimes, Talk, percentile, play
from voice_ime.errors import MicrophoneBusy, MicrophoneSilent, TruncatedAudio
from voice_ime.messages import Messages
from voice_ime.terminal import Screen

BLOCK = bytes(640)
BLOCK_SAMPLES = 320
TIMINGS = wire.Timings(endpoint_s=None, queue_s=0, detect_s=0, encode_s=0, decode_s=0, final_s=0)
READY = wire.Ready(
    version=1,
    server="a server",
    session="a-session",
    next_sample=0,
    resumed=False,
    capabilities=wire.EngineFacts(
        engine="script",
        languages=("en",),
        word_times="none",
        confidence=False,
        alternatives=False,
        scores_text=False,
        streaming=False,
    ),
    limits=wire.Limits(max_frame_bytes=1, max_messages_per_s=1, max_unkept_finals=1, longest_utterance_s=1, resume_s=1),
)


def final(text: str, end: int, reason: str = "endpoint", decided: int | None = None) -> wire.Final:
    return wire.Final(
        utterance=f"u{end}",
        start_sample=0,
        end_sample=end,
        decided_sample=end if decided is None else decided,
        reason=reason,
        text=text,
        language="en",
        edits=(wire.Insert(text=f" {text}"),),
        words=(),
        alternatives=(),
        timings=TIMINGS,
    )


class FakeClient:
    """Counts samples, keeps what was asked of it, and tells the events that the test gives it."""

    def __init__(self) -> None:
        self.position = 0
        self.kept_utterances: list[str] = []
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self.answer: Callable[[int], list[Event]] = lambda sample: [wire.Finalized(sample=sample)]

    def send(self, pcm: bytes) -> None:
        self.position += len(pcm) // 2

    def finalize(self) -> int:
        for event in self.answer(self.position):
            self.tell(event)
        return self.position

    def kept(self, final: wire.Final) -> None:
        self.kept_utterances.append(final.utterance)

    def tell(self, event: Event | None) -> None:
        self._events.put_nowait(event)

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self._events.get()) is not None:
            yield event


class FakeMicrophone:
    """Delivers two blocks each time it is opened, unless `trouble` stops it."""

    def __init__(self) -> None:
        self.trouble: MicrophoneBusy | None = None
        self.open = False

    def start(self, on_pcm: Callable[[bytes], None]) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.open = True
        on_pcm(BLOCK)
        on_pcm(BLOCK)

    def stop(self) -> None:
        self.open = False


class Paper(io.StringIO):
    """What was written; says when there is more."""

    def __init__(self) -> None:
        super().__init__()
        self.more = asyncio.Event()

    def write(self, text: str) -> int:
        self.more.set()
        return super().write(text)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    """One person dictating, and what they heard."""

    out: Paper = field(default_factory=Paper)
    client: FakeClient = field(default_factory=FakeClient)
    microphone: FakeMicrophone = field(default_factory=FakeMicrophone)
    clock: Clock = field(default_factory=Clock)
    keys: "asyncio.Queue[Key]" = field(default_factory=asyncio.Queue)
    language: str = "en"
    terminal: bool = False
    working_after_s: float = 1000

    def __post_init__(self) -> None:
        screen = Screen(self.out, (lambda: 80) if self.terminal else None)
        self.dictation = Dictation(self.client, screen, Messages(self.language), self.clock, self.working_after_s)
        self.talk = Talk(self.dictation, self.microphone, self.keys)

    def press(self, *keys: Key) -> None:
        for key in keys:
            self.keys.put_nowait(key)

    @asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        """Everything that the client tells in here is told when it ends."""
        async with asyncio.timeout(20):
            told = asyncio.create_task(self.dictation.told())
            yield
            self.client.tell(None)
            await told

    async def until(self, line: str) -> None:
        while line not in self.heard:
            self.out.more.clear()
            await self.out.more.wait()

    @property
    def heard(self) -> list[str]:
        return self.out.getvalue().splitlines()


async def test_enter_starts_enter_stops_and_the_text_is_told_with_its_delay() -> None:
    scene = Scene()
    scene.client.answer = lambda sample: [final("It was.", sample, "finalize"), wire.Finalized(sample=sample)]
    scene.press(Key.ENTER, Key.ENTER, Key.END)
    async with scene.on():
        assert await scene.talk.run()
    assert scene.heard == ["Listening.", "Stopped.", "It was. (0.00 s)"]


async def test_the_end_while_listening_still_gives_what_was_said() -> None:
    scene = Scene()
    scene.client.answer = lambda sample: [final("It was.", sample, "finalize"), wire.Finalized(sample=sample)]
    scene.press(Key.ENTER, Key.END)
    async with scene.on():
        assert await scene.talk.run()
    assert scene.heard == ["Listening.", "Stopped.", "It was. (0.00 s)"]
    assert not scene.microphone.open


async def test_when_nothing_was_heard_that_is_said() -> None:
    scene = Scene()
    scene.press(Key.ENTER, Key.ENTER, Key.END)
    async with scene.on():
        assert await scene.talk.run()
    assert scene.heard == ["Listening.", "Stopped.", "Nothing heard."]


async def test_words_before_the_release_count_as_heard() -> None:
    scene = Scene()
    scene.client.tell(final("It was.", BLOCK_SAMPLES))
    scene.press(Key.ENTER, Key.ENTER, Key.END)
    async with scene.on():
        assert await scene.talk.run()
    assert "Nothing heard." not in scene.heard


async def test_a_release_that_is_answered_twice_is_told_once() -> None:
    scene = Scene()
    scene.client.answer = lambda sample: [wire.Finalized(sample=sample), wire.Finalized(sample=sample)]
    scene.press(Key.ENTER, Key.ENTER, Key.END)
    async with scene.on():
        assert await scene.talk.run()
    assert scene.heard.count("Nothing heard.") == 1


async def test_a_second_ctrl_c_does_not_wait_for_the_answer() -> None:
    scene = Scene()
    scene.client.answer = lambda sample: []
    scene.press(Key.ENTER, Key.END, Key.END)
    async with scene.on():
        assert not await scene.talk.run()


async def test_an_answer_that_takes_long_is_worth_a_word() -> None:
    scene = Scene(working_after_s=0)
    scene.client.answer = lambda sample: []
    scene.press(Key.ENTER, Key.ENTER)
    async with scene.on():
        talking = asyncio.create_task(scene.talk.run())
        await scene.until("Still working.")
        scene.client.tell(wire.Finalized(sample=scene.client.position))
        scene.press(Key.END)
        assert await talking
    assert scene.heard == ["Listening.", "Stopped.", "Still working.", "Nothing heard."]


async def test_a_microphone_that_cannot_be_opened_is_told_and_may_be_tried_again() -> None:
    scene = Scene()
    scene.microphone.trouble = MicrophoneBusy()
    scene.press(Key.ENTER, Key.END)
    async with scene.on():
        assert await scene.talk.run()
    assert scene.heard == list(Messages("en").error(MicrophoneBusy()))


async def test_a_microphone_that_goes_dead_and_comes_back_is_told() -> None:
    scene = Scene()
    scene.dictation.microphone_told(MicrophoneSilent())
    scene.dictation.microphone_told(None)
    assert scene.heard == [*Messages("en").error(MicrophoneSilent()), "The microphone works again."]


async def test_a_cut_is_told_and_so_is_its_end() -> None:
    scene = Scene()
    async with scene.on():
        for event in (Connected(READY, False), Disconnected(), Connected(READY, True)):
            scene.client.tell(event)
    assert scene.heard == [
        "The connection to the speech recognition is cut. Nothing is lost; it is being set up again.",
        "The speech recognition is there again.",
    ]


async def test_before_the_first_connection_no_cut_is_told() -> None:
    scene = Scene()
    async with scene.on():
        scene.client.tell(Disconnected())
    assert scene.heard == []


async def test_an_error_is_told_with_its_remedy() -> None:
    scene = Scene()
    async with scene.on():
        scene.client.tell(wire.Error(code="recognition_failed", message="It failed.", remedy="Do this.", fatal=False))
    assert scene.heard == ["It failed.", "Do this."]


async def test_partials_are_drawn_on_a_terminal_and_give_way_to_the_final() -> None:
    scene = Scene(terminal=True)
    async with scene.on():
        scene.client.tell(wire.Partial(utterance="u", start_sample=0, stable="it ", unstable="wars"))
        scene.client.tell(wire.Partial(utterance="u", start_sample=0, stable="it was", unstable=""))
        scene.client.tell(final("It was.", 9))
    assert scene.out.getvalue() == "it wars\r\x1b[Kit was\r\x1b[KIt was.\n"


async def test_without_a_terminal_no_partials_are_written() -> None:
    scene = Scene()
    async with scene.on():
        scene.client.tell(wire.Partial(utterance="u", start_sample=0, stable="it", unstable=""))
    assert scene.out.getvalue() == ""


async def test_each_final_is_kept_once_it_is_written() -> None:
    scene = Scene()
    async with scene.on():
        scene.client.tell(final("It was.", 320))
        scene.client.tell(final("", 640))
    assert scene.client.kept_utterances == ["u320", "u640"]


async def test_the_delay_counts_from_when_the_deciding_sound_was_sent() -> None:
    scene = Scene()
    for scene.clock.now in (100.0, 100.02, 100.04):
        scene.dictation.hear(BLOCK)
    async with scene.on():
        scene.clock.now = 100.5
        scene.client.tell(final("It was.", 300, decided=2 * BLOCK_SAMPLES))
    assert scene.dictation.delays == [pytest.approx(0.48)]


async def test_after_a_release_the_delay_counts_from_the_release() -> None:
    scene = Scene()
    scene.client.answer = lambda sample: []
    scene.dictation.hear(BLOCK)
    scene.clock.now = 101.0
    scene.dictation.release()
    async with scene.on():
        scene.clock.now = 101.25
        scene.client.tell(final("It was.", BLOCK_SAMPLES, "finalize"))
    assert scene.dictation.delays == [pytest.approx(0.25)]


def test_a_delay_that_is_not_known_is_not_made_up() -> None:
    times = SentTimes(most=2)
    for number in (1, 2, 3):
        times.sent(number * 320, float(number))
    assert times.delay(final("", 320), 10.0) is None
    assert times.delay(final("", 960), 10.0) == 7.0
    assert times.delay(final("", 961), 10.0) is None


async def test_at_the_end_the_delays_are_summed_up() -> None:
    scene = Scene()
    for scene.clock.now in (100.0, 101.0):
        scene.dictation.hear(BLOCK)
    async with scene.on():
        scene.clock.now = 101.5
        scene.client.tell(final("One.", 320))
        scene.client.tell(final("Two.", 640))
    scene.dictation.summary()
    assert scene.heard[-1] == "2 utterances, final delay p50 0.50 s, p95 1.50 s."


async def test_a_single_utterance_has_a_single_delay() -> None:
    scene = Scene()
    scene.dictation.hear(BLOCK)
    async with scene.on():
        scene.client.tell(final("One.", BLOCK_SAMPLES))
    scene.dictation.summary()
    assert scene.heard[-1] == "1 utterance, final delay 0.00 s."


async def test_the_summary_of_nothing_has_no_delay() -> None:
    scene = Scene()
    scene.dictation.summary()
    assert scene.heard == ["0 utterances."]


async def test_in_chinese_everything_is_told_in_chinese() -> None:
    scene = Scene(language="zh")
    scene.client.answer = lambda sample: [final("这是最好的时代。", sample, "finalize"), wire.Finalized(sample=sample)]
    scene.press(Key.ENTER, Key.ENTER, Key.END)
    async with scene.on():
        assert await scene.talk.run()
    assert scene.heard == ["正在听。", "已停止。", "这是最好的时代。（0.00 秒）"]


class FakeTape:
    """Plays two blocks and ends, or goes on for ever."""

    def __init__(self, on_end: Callable[[], None], endless: bool = False) -> None:
        self._on_end = on_end
        self._endless = endless

    def start(self, on_pcm: Callable[[bytes], None]) -> None:
        on_pcm(BLOCK)
        on_pcm(BLOCK)
        if not self._endless:
            self._on_end()

    def stop(self) -> None:
        pass


async def test_a_recording_is_dictated_to_its_end() -> None:
    scene = Scene()
    scene.client.answer = lambda sample: [final("It was.", sample, "finalize"), wire.Finalized(sample=sample)]
    async with scene.on():
        assert await play(scene.dictation, FakeTape, scene.keys)
    assert scene.client.position == 2 * BLOCK_SAMPLES
    assert scene.heard == ["It was. (0.00 s)"]


async def test_ctrl_c_cuts_a_recording_short_but_what_was_played_is_answered() -> None:
    scene = Scene()
    scene.client.answer = lambda sample: [final("It was.", sample, "finalize"), wire.Finalized(sample=sample)]
    scene.press(Key.ENTER, Key.END)
    async with scene.on():
        assert not await play(scene.dictation, lambda on_end: FakeTape(on_end, endless=True), scene.keys)
    assert scene.heard == ["It was. (0.00 s)"]


def test_what_is_wrong_with_a_recording_waits_until_the_rest_was_told() -> None:
    def broken() -> Iterator[bytes]:
        yield BLOCK
        raise TruncatedAudio(path="a.wav", seconds=0.02)

    recording = Recording(broken())
    assert list(recording) == [BLOCK]
    assert isinstance(recording.trouble, TruncatedAudio)


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.95, 10), (1.0, 10), (0.0, 1)])
def test_percentiles_are_values_that_were_measured(share: float, value: int) -> None:
    assert percentile(list(range(1, 11)), share) == value
