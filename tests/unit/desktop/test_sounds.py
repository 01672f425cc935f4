"""The short sounds: made by a script, each unlike the others, played without anybody waiting for them."""

import asyncio
import io
import os
import stat
import wave
from array import array
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from voice_ime_desktop.announce.base import Sound
from voice_ime_desktop.announce.printed import PrintedAnnouncer
from voice_ime_desktop.announce.recording import RecordingAnnouncer
from voice_ime_desktop.announce.sounds import MOST, SoundAnnouncer, file_of, player_of
from voice_ime_desktop.announce.together import TogetherAnnouncer, announcer_of

from scripts import make_sounds
from tests.desktop.ssip_server import SpeechService
from voice_ime.messages import Messages

EN = Messages("en")
PATH = {"PATH": "/usr/bin:/bin"}


def values(file: Path) -> "array[int]":
    with wave.open(str(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, make_sounds.RATE)
        return array("h", sound.readframes(sound.getnframes()))


def loud_parts(file: Path) -> list[bool]:
    """Whether there is sound, for each 10 ms."""
    all_of_them = values(file)
    step = make_sounds.RATE // 100
    parts = [all_of_them[start : start + step] for start in range(0, len(all_of_them), step)]
    return [max(map(abs, part)) > 500 for part in parts]


def pitches(file: Path) -> list[int]:
    """Crossings of zero, upwards, for each 50 ms: what the ear takes for pitch, roughly."""
    all_of_them = values(file)
    step = make_sounds.RATE // 20
    parts = [all_of_them[start : start + step] for start in range(0, len(all_of_them) - step // 2, step)]
    return [sum(one < 0 <= two for one, two in pairwise(part)) for part in parts]


@pytest.mark.parametrize("sound", Sound)
def test_the_script_makes_each_sound_anew(sound: Sound, tmp_path: Path) -> None:
    make_sounds.write(tmp_path)
    new, kept = values(tmp_path / f"{sound.value}.wav"), values(file_of(sound))
    assert len(new) == len(kept)
    assert max(abs(one - two) for one, two in zip(new, kept, strict=True)) <= 1  # another mathematics library


@pytest.mark.parametrize("sound", Sound)
def test_each_sound_is_small_short_and_audible(sound: Sound) -> None:
    assert file_of(sound).stat().st_size < 20_000
    assert len(values(file_of(sound))) / make_sounds.RATE <= 0.35
    assert 8000 <= max(map(abs, values(file_of(sound)))) <= 16_000


def test_each_sound_begins_and_ends_without_a_click() -> None:
    for sound in Sound:
        all_of_them = values(file_of(sound))
        assert max(map(abs, (*all_of_them[:3], *all_of_them[-3:]))) < 1000


def test_start_and_stop_are_over_before_the_first_word() -> None:
    assert all(len(values(file_of(sound))) / make_sounds.RATE <= 0.15 for sound in (Sound.START, Sound.STOP))


def test_any_two_sounds_differ_in_rhythm_or_clearly_in_pitch() -> None:
    for one, other in combinations(Sound, 2):
        rhythms = [loud_parts(file_of(sound)) for sound in (one, other)]
        lengths_differ = abs(len(rhythms[0]) - len(rhythms[1])) >= 4
        steps = [pitches(file_of(sound)) for sound in (one, other)]
        pitch_differs = any(abs(first - second) >= 8 for first, second in zip(*steps, strict=False))
        assert lengths_differ or pitch_differs, (one, other)


def test_start_rises_and_stop_falls() -> None:
    rising, falling = pitches(file_of(Sound.START)), pitches(file_of(Sound.STOP))
    assert rising[0] < rising[1]
    assert falling[0] > falling[1]


def test_each_sound_has_a_text_in_both_languages() -> None:
    for messages in (EN, Messages("zh")):
        assert len({messages(f"desktop.sound.{sound.value}") for sound in Sound}) == len(Sound)


# --- playing


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


async def test_the_player_gets_the_file_of_the_sound(tmp_path: Path) -> None:
    program(tmp_path, "player", f'echo "$@" >> {tmp_path}/played')
    announcer = SoundAnnouncer((str(tmp_path / "player"), "-q"), PATH)
    await announcer.start()
    announcer.sound(Sound.HELD)
    await announcer.stop()
    assert (tmp_path / "played").read_text() == f"-q {file_of(Sound.HELD)}\n"


@pytest.mark.parametrize("player", [("false",), ("no-such-program-anywhere",)])
async def test_where_nothing_can_be_played_the_sound_becomes_text(player: tuple[str, ...]) -> None:
    stream = io.StringIO()
    announcer = SoundAnnouncer(player, PATH, meanwhile=PrintedAnnouncer(stream, EN))
    await announcer.start()
    announcer.sound(Sound.START)
    await announcer.stop()
    assert stream.getvalue() == "Listening.\n"


async def test_a_player_that_hangs_does_not_pile_up(tmp_path: Path) -> None:
    program(tmp_path, "player", f"echo x >> {tmp_path}/played; exec cat {tmp_path}/never")
    os.mkfifo(tmp_path / "never")
    announcer = SoundAnnouncer((str(tmp_path / "player"),), PATH, patience_s=1)
    await announcer.start()
    for _ in range(MOST + 5):
        announcer.sound(Sound.START)
    async with asyncio.timeout(20):
        await announcer.stop()
    assert (tmp_path / "played").read_text() == "x\n" * MOST


def test_the_best_player_of_this_machine_is_taken(tmp_path: Path) -> None:
    assert player_of({"PATH": str(tmp_path)}) is None
    program(tmp_path, "aplay", "")
    assert player_of({"PATH": str(tmp_path)}) == ("aplay", "-q")
    program(tmp_path, "pw-play", "")
    assert player_of({"PATH": str(tmp_path)}) == ("pw-play",)


# --- all together


async def test_sentences_go_to_speech_and_sounds_to_the_loudspeaker() -> None:
    speech, sounds, printed = RecordingAnnouncer(), RecordingAnnouncer(), RecordingAnnouncer()
    announcer = TogetherAnnouncer(speech, sounds, printed)
    await announcer.start()
    announcer.sound(Sound.START)
    announcer.say("Cancelled.", "en")
    announcer.quiet()
    assert (speech.heard, sounds.heard, printed.heard) == (["Cancelled."], [Sound.START], [])
    assert speech.quieted == 1


async def test_on_a_machine_without_speech_and_sound_all_is_printed_in_order(tmp_path: Path) -> None:
    stream = io.StringIO()
    announcer = announcer_of({"PATH": str(tmp_path), "HOME": str(tmp_path)}, stream, EN)
    await announcer.start()
    announcer.sound(Sound.START)
    announcer.sound(Sound.STOP)
    announcer.say("Nothing heard.", "en")
    await announcer.stop()
    assert stream.getvalue() == "Listening.\nStopped.\nNothing heard.\n"


async def test_where_sounds_are_not_wanted_there_are_none_and_no_text_for_them(tmp_path: Path) -> None:
    stream = io.StringIO()
    announcer = announcer_of({"HOME": str(tmp_path)} | PATH, stream, EN, speech=False, sounds=False)
    await announcer.start()
    announcer.sound(Sound.START)
    announcer.say("Ready.", "en")
    await announcer.stop()
    assert stream.getvalue() == "Ready.\n"


async def test_where_speech_is_not_wanted_the_service_hears_nothing(tmp_path: Path) -> None:
    service = SpeechService(tmp_path / "speech" / "socket")
    service.start()
    stream = io.StringIO()
    environment = {"HOME": str(tmp_path), "SPEECHD_ADDRESS": f"unix_socket:{service.socket}"} | PATH
    announcer = announcer_of(environment, stream, EN, speech=False)
    await announcer.start()
    announcer.say("Ready.", "en")
    await announcer.stop()
    service.stop()
    assert (service.said("voice-ime"), stream.getvalue()) == ([], "Ready.\n")


def test_nobody_reading_the_print_is_no_trouble() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8", closefd=False) as stream:
        PrintedAnnouncer(stream).say("Ready.", "en")
        nowhere = os.open(os.devnull, os.O_WRONLY)  # so that closing the stream finds nothing wrong
        os.dup2(nowhere, writing)
        os.close(nowhere)
    os.close(writing)
