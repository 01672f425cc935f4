"""Reading recordings: whatever people have, and what is said where it is no good."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest

from tests.needs import needs_package
from tests.recordings import LOUDNESS, cut, tone, write, write_film, write_wav
from voice_ime.audio import duration_s, from_pcm16, read_blocks, to_pcm16
from voice_ime.engine.base import Samples
from voice_ime.errors import AudioNotFound, AudioUnreadable, EmptyAudio, TruncatedAudio, UnsupportedAudio

needs_package("av")

SECONDS = 3.0
KINDS = [
    ("cd.wav", "pcm_s16le", 44_100, "stereo"),
    ("telephone.wav", "pcm_alaw", 8_000, "mono"),
    ("low.wav", "pcm_s16le", 8_000, "mono"),
    ("high.wav", "pcm_s24le", 48_000, "stereo"),
    ("float.wav", "pcm_f32le", 48_000, "mono"),
    ("film-sound.wav", "pcm_s16le", 48_000, "5.1"),
    ("lossless.flac", "flac", 44_100, "stereo"),
    ("music.mp3", "libmp3lame", 44_100, "stereo"),
    ("voice-note.ogg", "libopus", 48_000, "mono"),
    ("browser.webm", "libopus", 48_000, "mono"),
    ("telephone.m4a", "aac", 44_100, "mono"),
    ("old.aiff", "pcm_s16be", 44_100, "mono"),
]
"""Formats that people have: name, codec, rate, channels."""
STREAMABLE = {"movflags": "faststart"}
BREAKABLE = [*KINDS[:9], ("browser.webm", "libopus", 48_000, "mono"), ("old.aiff", "pcm_s16be", 44_100, "mono")]


def heard(path: Path) -> Samples:
    return np.concatenate(list(read_blocks(path)))


def heard_before_the_break(path: Path) -> tuple[float, TruncatedAudio]:
    """Seconds that were given, and the complaint."""
    blocks: list[Samples] = []
    with pytest.raises(TruncatedAudio) as raised:
        blocks.extend(read_blocks(path))
    return sum(map(len, blocks)) / 16_000, raised.value


@pytest.mark.parametrize(("name", "codec", "rate", "layout"), KINDS, ids=[kind[0] for kind in KINDS])
def test_any_usual_recording_is_heard_at_16_khz_and_as_loud_as_it_is(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str
):
    sound = heard(write(tmp_path / name, codec, SECONDS, rate=rate, layout=layout))
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(SECONDS * 16_000, abs=1_600)
    middle = sound[16_000:32_000]
    loudness = float(np.sqrt(2 * np.mean(middle**2)))
    assert loudness == pytest.approx(LOUDNESS, rel=0.15)


@pytest.mark.parametrize("block_s", [0.1, 1.0, 2.5, 100.0])
def test_the_sound_is_the_same_in_blocks_of_any_length(tmp_path: Path, block_s: float):
    path = write_wav(tmp_path / "a.wav", to_pcm16(tone(SECONDS)))
    blocks = list(read_blocks(path, block_s))
    assert [len(block) for block in blocks[:-1]] == [round(block_s * 16_000)] * (len(blocks) - 1)
    assert np.array_equal(np.concatenate(blocks), from_pcm16(to_pcm16(tone(SECONDS))))


def test_sound_that_is_the_same_on_both_sides_does_not_become_louder_than_it_may_be(tmp_path: Path):
    loud = np.tile(np.float32(0.99), 16_000)
    path = tmp_path / "loud.wav"
    _write_float_wav(path, np.stack([loud, loud]))
    assert heard(path).max() == pytest.approx(0.99, abs=1e-3)


def test_impossible_floats_become_possible_samples(tmp_path: Path):
    wild = np.tile(np.array([0.5, np.nan, 7.0, -np.inf, -9.0], np.float32), 3_200)
    path = tmp_path / "wild.wav"
    _write_float_wav(path, wild[np.newaxis])
    sound = heard(path)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1


@pytest.mark.parametrize(("name", "codec", "rate", "layout"), BREAKABLE, ids=[kind[0] for kind in BREAKABLE])
@pytest.mark.parametrize("odd", [False, True])
def test_of_a_recording_that_breaks_off_the_sound_before_the_break_is_used(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str, odd: bool
):
    path = cut(write(tmp_path / name, codec, SECONDS, rate=rate, layout=layout), odd=odd)
    seconds, complaint = heard_before_the_break(path)
    assert 0.3 * SECONDS < seconds < 0.8 * SECONDS
    assert complaint.values == {"path": str(path), "seconds": round(seconds, 1)}


def test_of_a_telephone_recording_that_breaks_off_the_sound_before_the_break_is_used(tmp_path: Path):
    path = cut(write(tmp_path / "a.m4a", "aac", SECONDS, rate=44_100, options=STREAMABLE))
    seconds, _ = heard_before_the_break(path)
    assert 0.3 * SECONDS < seconds < 0.8 * SECONDS


def test_a_recording_that_claims_to_be_longer_than_it_is_breaks_off(tmp_path: Path):
    path = write_wav(tmp_path / "a.wav", to_pcm16(tone(SECONDS)), declared=1_000_000)
    seconds, _ = heard_before_the_break(path)
    assert seconds == pytest.approx(SECONDS)


@pytest.mark.parametrize("declared", [0, 0x7FFF_F000, 0x8000_0000 - 44, 0xFFFF_FFFF])
def test_a_recording_of_a_program_that_could_not_know_its_length_is_whole(tmp_path: Path, declared: int):
    path = write_wav(tmp_path / "piped.wav", to_pcm16(tone(SECONDS)), declared=declared)
    assert len(heard(path)) == SECONDS * 16_000


def test_of_a_recording_with_damage_in_the_middle_the_sound_behind_it_is_used_too(tmp_path: Path):
    path = write(tmp_path / "a.mp3", "libmp3lame", 10.0, rate=44_100)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3_000] = bytes(3_000)
    path.write_bytes(content)
    seconds, _ = heard_before_the_break(path)  # it is shorter than it says, and that is said
    assert seconds > 9


@pytest.mark.parametrize("pcm", [b"", b"\0"])
def test_a_recording_of_no_time_is_empty(tmp_path: Path, pcm: bytes):
    with pytest.raises((EmptyAudio, UnsupportedAudio)):
        heard(write_wav(tmp_path / "a.wav", pcm))


def test_a_file_of_no_bytes_is_empty(tmp_path: Path):
    path = tmp_path / "a.wav"
    path.touch()
    with pytest.raises(EmptyAudio):
        heard(path)


def test_a_header_without_sound_is_empty(tmp_path: Path):
    with pytest.raises(EmptyAudio):
        heard(write_wav(tmp_path / "a.wav", b"", declared=32_000))


def test_one_sample_is_a_recording(tmp_path: Path):
    assert len(heard(write_wav(tmp_path / "a.wav", b"\1\0"))) == 1


@pytest.mark.parametrize("name", ["notes.txt", "notes.wav", "notes.mp3"])
def test_text_is_no_recording_whatever_it_is_called(tmp_path: Path, name: str):
    path = tmp_path / name
    path.write_text("This is a shopping list.\n" * 500)
    with pytest.raises(UnsupportedAudio):
        heard(path)


def test_random_bytes_are_no_recording(tmp_path: Path):
    path = tmp_path / "noise.mp3"
    path.write_bytes(np.random.default_rng(1).integers(0, 256, 200_000, dtype=np.uint8).tobytes())
    with pytest.raises(UnsupportedAudio):
        heard(path)


def test_half_a_header_is_no_recording(tmp_path: Path):
    path = write_wav(tmp_path / "a.wav", to_pcm16(tone(1)))
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(UnsupportedAudio):
        heard(path)


def test_a_film_without_sound_is_no_recording(tmp_path: Path):
    with pytest.raises(UnsupportedAudio):
        heard(write_film(tmp_path / "silent.mp4"))


def test_a_folder_is_no_recording(tmp_path: Path):
    with pytest.raises(UnsupportedAudio):
        heard(tmp_path)


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path):
    with pytest.raises(AudioNotFound) as raised:
        heard(tmp_path / "gone.wav")
    assert raised.value.values == {"path": str(tmp_path / "gone.wav")}


def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path):
    circle = tmp_path / "circle.wav"
    circle.symlink_to(circle)
    with pytest.raises(AudioUnreadable) as raised:
        heard(circle)
    assert raised.value.values["detail"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path):
    path = write_wav(tmp_path / "secret.wav", to_pcm16(tone(1)))
    path.chmod(0)
    with pytest.raises(AudioUnreadable):
        heard(path)


def test_an_address_is_only_a_name_that_is_not_there():
    with pytest.raises(AudioNotFound):
        heard(Path("http://127.0.0.1:9/a.wav"))


def test_a_playlist_leads_nowhere(tmp_path: Path):
    sound = write(tmp_path / "a.aac", "aac", 1, rate=44_100)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        for target in (f"http://127.0.0.1:{port}/a.aac", f"tcp://127.0.0.1:{port}", str(sound)):
            path = tmp_path / "list.m3u8"
            path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n")
            with pytest.raises(UnsupportedAudio):
                heard(path)
        with pytest.raises(BlockingIOError):  # nobody connected
            server.accept()


def test_the_length_is_known_before_reading_where_the_file_tells_it(tmp_path: Path):
    assert duration_s(write(tmp_path / "a.flac", "flac", SECONDS)) == pytest.approx(SECONDS)
    assert duration_s(write(tmp_path / "a.webm", "libopus", SECONDS, rate=48_000)) == pytest.approx(SECONDS, abs=0.1)


def test_the_length_of_what_is_no_recording_is_an_error(tmp_path: Path):
    with pytest.raises(AudioNotFound):
        duration_s(tmp_path / "gone.wav")


def test_every_16_bit_sample_survives_the_way_to_floats_and_back():
    pcm = np.arange(-32_768, 32_768, dtype="<i2").tobytes()
    sound = from_pcm16(pcm)
    assert sound.dtype == np.float32
    assert -1 <= sound.min() < sound.max() < 1
    assert to_pcm16(sound) == pcm


def test_samples_that_are_too_loud_are_clipped():
    assert to_pcm16(np.array([-2, 1, 2], np.float32)) == np.array([-32_768, 32_767, 32_767], "<i2").tobytes()


def test_half_a_sample_is_refused():
    with pytest.raises(ValueError, match="multiple"):
        from_pcm16(b"\0\0\0")


def _write_float_wav(path: Path, channels: np.ndarray) -> None:
    import av

    layout = "stereo" if len(channels) == 2 else "mono"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=16_000, layout=layout)
        frame = av.AudioFrame.from_ndarray(channels.T.reshape(1, -1).copy(), "flt", layout)
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
