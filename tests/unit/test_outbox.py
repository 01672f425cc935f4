"""What a client can say again after a cut."""

from voice_ime.outbox import LONGEST_FRAME, Mark, Outbox
from voice_ime.protocol import AudioFrame


def sound(first: int, samples: int) -> bytes:
    """Samples that tell their own position."""
    return b"".join((first + number).to_bytes(2, "little") for number in range(samples))


def box(samples: int, **options: float) -> Outbox:
    outbox = Outbox(**options)
    outbox.add(sound(0, samples))
    return outbox


def test_everything_not_yet_kept_is_said_again() -> None:
    assert list(box(10).again(4)) == [AudioFrame(4, sound(4, 6))]


def test_marks_are_said_again_in_their_places() -> None:
    outbox = box(4)
    outbox.finalize()
    outbox.add(sound(4, 4))
    outbox.finalize()
    assert list(outbox.again(2)) == [
        AudioFrame(2, sound(2, 2)),
        Mark("finalize", 4),
        AudioFrame(4, sound(4, 4)),
        Mark("finalize", 8),
    ]


def test_a_mark_whose_sound_was_heard_is_said_again_all_the_same() -> None:
    outbox = box(4)
    outbox.finalize()
    assert list(outbox.again(4)) == [Mark("finalize", 4)]


def test_an_answered_mark_is_not_said_again() -> None:
    outbox = box(4)
    outbox.finalize()
    outbox.finalized(4)
    assert list(outbox.again(4)) == []


def test_sound_before_a_kept_final_is_forgotten() -> None:
    outbox = box(10)
    outbox.kept(6)
    assert outbox.resume_from == 6
    assert list(outbox.again(0)) == [AudioFrame(6, sound(6, 4))]


def test_cancelled_sound_is_forgotten_at_once() -> None:
    outbox = box(10)
    outbox.cancel(0)
    assert outbox.resume_from == 10
    assert list(outbox.again(10)) == [Mark("cancel", 10, 0)]


def test_sound_before_the_cancelled_is_said_again_and_the_hole_is_marked() -> None:
    outbox = box(4)
    outbox.finalize()
    outbox.add(sound(4, 4))
    outbox.cancel(4)
    outbox.add(sound(8, 2))
    outbox.cancelled(8)
    assert list(outbox.again(0)) == [
        AudioFrame(0, sound(0, 4)),
        Mark("finalize", 4),
        Mark("cancel", 8, 4),
        AudioFrame(8, sound(8, 2)),
    ]


def test_the_mark_of_a_hole_goes_with_the_sound_before_it() -> None:
    outbox = box(4)
    outbox.add(sound(4, 4))
    outbox.cancel(4)
    outbox.add(sound(8, 2))
    outbox.cancelled(8)
    outbox.kept(4)
    assert outbox.resume_from == 8
    assert list(outbox.again(8)) == [AudioFrame(8, sound(8, 2))]


def test_what_the_server_has_finished_with_goes_only_when_memory_is_short() -> None:
    outbox = box(16000, most_s=2)
    outbox.finished(8000)
    assert outbox.resume_from == 0
    outbox.add(sound(0, 20000))
    assert outbox.resume_from == 36000 - 32000


def test_what_the_server_still_needs_is_never_dropped() -> None:
    outbox = box(16000, most_s=1)
    outbox.add(sound(0, 40000))
    assert outbox.resume_from == 0
    outbox.finished(100)
    assert outbox.resume_from == 100


def test_long_sound_is_said_again_in_frames_of_a_second() -> None:
    outbox = Outbox()
    for _ in range(5):
        outbox.add(bytes(2 * 8000))
    assert [(frame.offset, frame.samples) for frame in outbox.again(0) if isinstance(frame, AudioFrame)] == [
        (0, LONGEST_FRAME),
        (16000, LONGEST_FRAME),
        (32000, 8000),
    ]
