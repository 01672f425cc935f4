"""Playing tracks, and what is made of what came back."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.needs import needs_package

needs_package("jiwer")
needs_package("whisper-normalizer", "whisper_normalizer")

from benchmarks.latency import Tally  # noqa: E402
from benchmarks.live import BLOCK, Played, Said, Track  # noqa: E402
from benchmarks.load import Judge, following, heard, losses, track  # noqa: E402
from benchmarks.ours import Ours, toml  # noqa: E402
from benchmarks.peers.host import Shelf, read_played, write_played, write_tracks  # noqa: E402
from benchmarks.peers.hosted import HostedPeer  # noqa: E402
from benchmarks.recordings import Clip, Speech, spread  # noqa: E402
from benchmarks.sessions import Sample, growth  # noqa: E402
from tests.recordings import write_wav  # noqa: E402
from voice_ime.client import Address  # noqa: E402
from voice_ime.errors import MeasuredEnded  # noqa: E402
from voice_ime.settings import Settings, load_settings  # noqa: E402


@pytest.fixture
def recordings(tmp_path: Path) -> list[Clip]:
    """Three seconds each."""
    pcm = bytes(2 * 48_000)
    names = ("one", "two", "three")
    return [Clip(write_wav(tmp_path / f"{name}.wav", pcm), name, "en", "read", name) for name in names]


def final(text: str, at_s: float, needed_s: float, start_s: float, end_s: float) -> Said:
    return Said("final", text, at_s, f"u{start_s}", needed_s, start_s, end_s)


def partial(text: str, at_s: float, start_s: float) -> Said:
    return Said("partial", text, at_s, f"u{start_s}")


def test_a_track_is_silence_recording_silence_in_whole_blocks(recordings: list[Clip]) -> None:
    whole = Track(tuple(recordings), lead_s=0.31, gap_s=1.0)
    assert [round(slot.begin_s, 2) for slot in whole.slots] == [0.31, 4.31, 8.31]
    assert len(whole.sound) % BLOCK == 0
    assert len(whole.sound) / 16_000 == pytest.approx(whole.seconds, abs=0.02)


def test_what_is_heard_belongs_to_the_recording_in_which_its_middle_lies(recordings: list[Clip]) -> None:
    whole = Track(tuple(recordings), lead_s=0.3, gap_s=1.0)
    said = [final("a", 3.5, 3.4, 0.3, 3.2), final("b", 6, 6, 4.2, 5), final("c", 8, 7.9, 6, 7.5)]
    assert heard(whole, said) == ["a", "b c", ""]


def test_delays_are_measured_from_the_speech_and_from_the_decision() -> None:
    tally = Tally()
    said = [partial("Hello", 0.9, 0.2), final("Hello.", 2.62, 2.6, 0.2, 2.3)]
    tally.hands_free(said, Speech(onset_s=0.5, end_s=2.0))
    figures = tally.figures()
    assert figures["final_delay_ms"]["p50"] == pytest.approx(20)
    assert figures["first_partial_ms"]["p50"] == pytest.approx(400)
    assert figures["endpoint_delay_ms"]["p50"] == pytest.approx(600)
    assert figures["spoken_to_final_ms"]["p50"] == pytest.approx(620)
    assert figures["cut_percent"] == 0


def test_a_first_word_that_comes_with_the_final_counts_from_there() -> None:
    tally = Tally()
    tally.hands_free([partial("Yellow", 0.9, 0.2), final("Hello.", 2.5, 2.5, 0.2, 2.3)], Speech(0.5, 2.0))
    assert tally.figures()["first_partial_ms"]["p50"] == pytest.approx(2000)
    assert tally.figures()["without_partial"] == 1


def test_an_utterance_that_ends_within_the_speech_is_cut() -> None:
    tally = Tally()
    tally.hands_free([final("I am", 1.1, 1, 0.2, 0.9), final("here", 2.6, 2.5, 1, 2.2)], Speech(0.3, 2.0))
    assert tally.figures()["cut_percent"] == 100


def test_a_recording_without_text_is_told() -> None:
    tally = Tally()
    tally.hands_free([], Speech(0.3, 2.0))
    assert tally.figures()["unheard"] == 1


def test_each_speaker_begins_elsewhere(recordings: list[Clip]) -> None:
    tracks = [track(recordings, number, 3, seconds=8) for number in range(3)]
    assert [each.clips[0].text for each in tracks] == ["one", "two", "three"]
    assert len({each.start_s for each in tracks}) == 3


@pytest.mark.parametrize(
    ("held", "failed", "most", "next_"),
    [(4, 129, 128, 8), (64, 129, 100, 100), (100, 101, 100, 0), (16, 32, 128, 24), (22, 24, 128, 0), (0, 4, 128, 2),
     (0, 1, 128, 0)],
)  # fmt: skip
def test_the_search_doubles_then_halves(held: int, failed: int, most: int, next_: int) -> None:
    assert following(held, failed, most) == next_


def test_a_word_that_the_load_has_swallowed_is_lost_and_one_that_it_has_changed_is_not(recordings: list[Clip]) -> None:
    spoken = [replace(each, text=text) for each, text in zip(recordings, ("red green", "blue"), strict=False)]
    whole = [Track(tuple(spoken), lead_s=0.3, gap_s=1.0)]
    alone = [[final("red green", 3.5, 3.4, 0.3, 3.2), final("blue", 8, 7.9, 5, 7.5)]]
    loaded = [[final("red grain", 3.5, 3.4, 0.3, 3.2)]]
    found = losses(whole, loaded, alone)
    assert (found.words, found.lost, found.silent, found.changed) == (3, 1, 1, 2)
    assert not found.none


def test_a_stage_is_held_while_finals_are_quick_and_partials_keep_coming(recordings: list[Clip]) -> None:
    whole = Track((recordings[0],), lead_s=0.3, gap_s=1.0)
    said = (partial("o", 0.9, 0.1), partial("one", 1.5, 0.1), final("one", 3.1, 3.0, 0.1, 2.8))
    judge = Judge({recordings[0].path: Speech(0.2, 2.2)}, cores=2)
    played = Played((said,), 4.0, 0.5, 200, 190)
    assert judge.stage([whole], played).held
    assert not judge.stage([whole], Played((said[1:],), 4.0, 0.5, 200, 190)).held
    assert not judge.stage([whole], Played((said,), 4.0, 0.5, 200, 190, refused=1)).held


def test_tracks_and_answers_go_to_another_process_and_back(recordings: list[Clip]) -> None:
    tracks = [Track(tuple(recordings), start_s=0.5, stop_s=2.0, release=True)]
    assert Shelf().tracks(write_tracks(tracks)) == tracks
    played = Played(((final("a", 1, 1, 0, 1),), ()), 2.0, 0.1, 100, 90, errors=("server_full",))
    assert read_played(write_played(played)) == played


async def gone() -> Process:
    """A process that has ended."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "", stdin=PIPE, stdout=PIPE)
    await process.wait()
    return process


async def test_a_peer_that_has_ended_is_named() -> None:
    with pytest.raises(MeasuredEnded, match="a-peer"):
        await HostedPeer("a-peer", await gone()).play([Track(())])


async def test_a_server_that_has_ended_is_named() -> None:
    process = await gone()
    with pytest.raises(MeasuredEnded, match="voice-ime"):
        await Ours(Address("ws://127.0.0.1:1", ""), process.pid, None).play([Track(())])


def test_settings_reach_the_server_as_they_are(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "engine": {
                "name": "script",
                "script": {"lines": ['a "b"', "你好"]},
                "by_language": {"zh": {"name": "her own, 2.0", "final": "二"}},
                "others": {"her own, 2.0": {"name": "script"}, "二": {"name": "script"}},
            }
        }
    )
    file = tmp_path / "settings.toml"
    file.write_text(toml(settings.model_dump(mode="json", exclude_none=True)), "utf-8")
    assert load_settings(file, {}) == settings


def test_a_limit_takes_recordings_from_everywhere() -> None:
    assert spread(range(10), 3) == [0, 3, 6]
    assert spread([1, 2], 5) == [1, 2]


def test_silence_is_silent(recordings: list[Clip]) -> None:
    assert not np.any(Track(tuple(recordings)).sound)


def test_growth_is_the_slope_of_the_second_half_so_that_what_is_kept_once_does_not_count() -> None:
    warm = [Sample(0, 100), Sample(8, 180), Sample(16, 200)]
    flat = growth([*warm, *(Sample(8 * number, 200) for number in range(3, 9))])
    assert (flat["kb_per_session"], flat["rss_mb_before"], flat["rss_mb_after"]) == (0, 100, 200)
    growing = growth([*warm, *(Sample(8 * number, 200 + number) for number in range(3, 9))])
    assert growing["kb_per_session"] == pytest.approx(128)
