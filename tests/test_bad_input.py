"""The one table of what goes wrong from outside: each row names the tests that show what happens then.

A row whose test is missing fails.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
AUDIO, WIRE, SERVE = "unit/test_audio.py", "server/test_bad_input.py", "server/test_serve.py"
KILLS, CUTS, TRANSCRIBE = "audio/test_kills.py", "server/test_cuts.py", "audio/test_transcribe.py"

TABLE: dict[str, tuple[tuple[str, str], ...]] = {
    "a file that is not sound": (
        (AUDIO, "test_text_is_no_recording_whatever_it_is_called"),
        (AUDIO, "test_random_bytes_are_no_recording"),
    ),
    "an empty file": ((AUDIO, "test_a_file_of_no_bytes_is_empty"),),
    "zero seconds of sound": ((AUDIO, "test_a_recording_of_no_time_is_empty"),),
    "a truncated file": ((AUDIO, "test_of_a_recording_that_breaks_off_the_sound_before_the_break_is_used"),),
    "stereo, 8, 44.1 and 48 kHz, floats": (
        (AUDIO, "test_any_usual_recording_is_heard_at_16_khz_and_as_loud_as_it_is"),
    ),
    "a file of twenty minutes": ((TRANSCRIBE, "test_the_memory_stays_flat_over_twenty_minutes"),),
    "a frame of odd length": (
        (WIRE, "test_a_frame_of_odd_length_is_refused_and_the_connection_goes_on"),
        (WIRE, "test_a_frame_too_short_for_an_offset_is_refused"),
    ),
    "a gap in the offsets": ((WIRE, "test_a_gap_in_the_sound_is_told_and_closed_by_sending_again"),),
    "an overlap of the offsets": ((WIRE, "test_sound_sent_twice_is_told_and_used_once"),),
    "text instead of sound": ((WIRE, "test_text_that_is_no_message_is_refused_and_the_connection_goes_on"),),
    "an unknown message": ((WIRE, "test_text_that_is_no_message_is_refused_and_the_connection_goes_on"),),
    "a wrong version": ((WIRE, "test_a_wrong_version_is_told_even_if_the_hello_is_otherwise_unknown"),),
    "a wrong sample rate": ((WIRE, "test_a_wrong_sample_rate_is_refused"),),
    "a wrong token": ((WIRE, "test_a_wrong_token_is_refused_before_anything_is_said"),),
    "a foreign origin": ((WIRE, "test_a_web_page_from_elsewhere_is_refused_even_with_the_token"),),
    "a foreign host name": ((WIRE, "test_a_name_that_only_points_to_this_machine_is_refused"),),
    "two hellos": ((WIRE, "test_a_second_hello_ends_the_connection_and_the_session_can_be_resumed"),),
    "no hello": ((WIRE, "test_a_connection_that_never_says_hello_is_ended"),),
    "a frame of 64 megabytes": ((WIRE, "test_a_frame_of_64_megabytes_is_refused_without_being_held"),),
    "a flood of messages": ((WIRE, "test_a_flood_of_messages_ends_the_connection"),),
    "sound far faster than real time": ((WIRE, "test_speech_far_faster_than_real_time_is_slowed_down_and_not_lost"),),
    "a client gone in mid-word": ((WIRE, "test_a_client_gone_in_mid_word_disturbs_nobody_and_can_come_back"),),
    "a full server": ((WIRE, "test_a_full_server_says_so_and_takes_the_next_when_a_place_is_free"),),
    "a taken port": ((SERVE, "test_a_taken_port_is_told_with_what_to_do"),),
    "a damaged model": ((SERVE, "test_a_damaged_model_is_told_before_anything_is_served"),),
    "a full disk": (
        (SERVE, "test_a_full_disk_is_told_when_the_token_cannot_be_kept"),
        (TRANSCRIBE, "test_a_full_disk_is_told_and_ends_the_work"),
    ),
    "a cut connection": (
        (KILLS, "test_a_cut_connection_changes_nothing_in_what_is_heard"),
        (KILLS, "test_a_connection_cut_between_a_final_and_its_acknowledgement_doubles_nothing"),
        (CUTS, "test_cuts_of_the_connection_lose_and_double_nothing"),
        (CUTS, "test_a_release_that_fell_into_the_cut_is_repeated"),
    ),
    "a killed server": (
        (KILLS, "test_a_killed_server_changes_nothing_in_what_is_heard"),
        (KILLS, "test_a_server_killed_between_a_final_and_its_acknowledgement_doubles_nothing"),
        (CUTS, "test_a_server_that_starts_anew_loses_and_doubles_nothing"),
    ),
}


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((HERE / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("situation", TABLE)
def test_every_situation_has_its_test(situation: str) -> None:
    assert TABLE[situation]
    for file, name in TABLE[situation]:
        assert name in names_in(file)
