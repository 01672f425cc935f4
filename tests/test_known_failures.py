"""What recognisers of live speech have been seen to fail at, and the tests that show that this one does not.

A row whose test is missing fails.
"""

import pytest

from tests.test_bad_input import names_in

STABLE = "unit/test_stable_text.py"
HEARING, LISTENER, STEADY = "audio/test_hearing.py", "unit/test_listener.py", "server/test_steady.py"
WIRE, CUTS, KILLS = "server/test_bad_input.py", "server/test_cuts.py", "audio/test_kills.py"
PHRASES, MANDARIN = "audio/test_phrases.py", "audio/test_mandarin_text.py"

TABLE: dict[str, tuple[tuple[str, str], ...]] = {
    "1 text where nobody speaks": (
        (HEARING, "test_what_is_no_speech_gives_no_text"),
        (HEARING, "test_recorded_noise_gives_no_text"),
    ),
    "2 the person's own words where nobody speaks": (
        (PHRASES, "test_phrases_do_not_come_out_where_nobody_speaks"),
        (PHRASES, "test_a_noise_that_passes_for_speech_is_no_phrase_either"),
        (PHRASES, "test_phrases_that_were_not_said_do_not_shift_the_times_of_words"),
    ),
    "3 a phrase again and again": (
        (HEARING, "test_a_sound_on_which_the_decoder_goes_round_and_round_gives_a_text_of_bounded_length"),
        (HEARING, "test_ten_minutes_of_stopping_and_going_on_end_in_no_loop_and_the_next_sentence_is_whole"),
    ),
    "4 ever later in long speech": (
        (LISTENER, "test_minutes_without_a_pause_cost_the_same_each_and_come_as_utterances_of_bearable_length"),
        (HEARING, "test_speech_without_pauses_loses_and_doubles_no_word_at_its_seams"),
    ),
    "5 text that never becomes certain": (
        (STABLE, "test_an_engine_that_never_makes_up_its_mind_has_nothing_stable_and_all_its_words_are_shown"),
        (LISTENER, "test_minutes_without_a_pause_cost_the_same_each_and_come_as_utterances_of_bearable_length"),
    ),
    "6 last words cut off": (
        (HEARING, "test_first_and_last_words_are_kept_where_speech_begins_and_ends_with_the_recording"),
        (HEARING, "test_short_commands_are_whole_without_any_silence_around_them"),
        (MANDARIN, "test_first_and_last_syllables_are_kept_where_speech_begins_and_ends_with_the_recording"),
    ),
    "7 first words cut off": (
        (LISTENER, "test_speech_at_the_very_first_sample_is_whole"),
        (HEARING, "test_replies_of_one_syllable_are_heard_in_a_quiet_room"),
        (MANDARIN, "test_a_reply_of_one_syllable_is_heard"),
    ),
    "8 a final with less than was shown": (
        (HEARING, "test_a_final_has_every_word_that_was_shown_as_stable"),
        (HEARING, "test_finals_are_never_shorter_than_what_was_stable_and_keep_most_of_it"),
    ),
    "9 other text for other sizes of pieces": ((HEARING, "test_the_text_is_the_same_for_pieces_of_any_size"),),
    "10 a wrong sample rate taken as it is": (
        (WIRE, "test_a_wrong_sample_rate_is_refused"),
        ("unit/test_audio.py", "test_any_usual_recording_is_heard_at_16_khz_and_as_loud_as_it_is"),
    ),
    "11 a connection given up during a long decoding": (
        (STEADY, "test_the_connection_answers_while_a_long_decoding_runs"),
    ),
    "12 words lost with the connection": (
        (CUTS, "test_cuts_of_the_connection_lose_and_double_nothing"),
        (KILLS, "test_a_killed_server_changes_nothing_in_what_is_heard"),
    ),
    "13 growing memory": (
        (STEADY, "test_a_hundred_sessions_that_are_over_leave_nothing_behind"),
        (LISTENER, "test_three_minutes_of_silence_are_no_more_in_memory_than_one"),
    ),
    "14 a crash through clients that go or send nonsense": (
        (STEADY, "test_nonsense_of_any_kind_disturbs_nobody"),
        (STEADY, "test_a_client_gone_in_the_middle_of_a_frame_disturbs_nobody"),
    ),
    "15 everybody suffers from one speaker too many": (
        ("server/test_overload.py", "test_a_server_kept_busy_refuses_new_speakers_and_serves_the_others_on"),
    ),
    "16 clients that choose files of the server": ((STEADY, "test_a_client_cannot_choose_files_of_the_server"),),
    "17 huge messages, and nobody asked who they are": (
        (WIRE, "test_a_frame_of_64_megabytes_is_refused_without_being_held"),
        (WIRE, "test_a_flood_of_messages_ends_the_connection"),
        (WIRE, "test_a_wrong_token_is_refused_before_anything_is_said"),
        (STEADY, "test_compressed_messages_are_never_agreed_on_so_that_nothing_small_unpacks_to_something_huge"),
    ),
    "18 words of one's own left out without a word": (
        (PHRASES, "test_phrases_that_cannot_be_used_are_told_and_do_no_harm_to_the_others"),
    ),
    "19 Chinese in the wrong characters or without marks": (
        (MANDARIN, "test_no_sentence_of_a_session_comes_in_the_other_script"),
        (MANDARIN, "test_latin_words_and_marks_in_a_chinese_sentence_stay_as_the_engine_heard_them"),
    ),
    "20 another language than was spoken": (
        (MANDARIN, "test_a_language_that_was_chosen_never_flips_whatever_is_said"),
        (MANDARIN, "test_mandarin_is_neither_translated_nor_spelled_in_pinyin"),
    ),
    "21 something of one utterance in the next": (
        (HEARING, "test_what_was_said_before_changes_nothing_in_the_next_final"),
    ),
    "22 deaf while decoding": (
        (STEADY, "test_fifty_utterances_all_become_text_however_slow_the_engine"),
        ("unit/test_slow_decoding.py", "test_fifty_utterances_said_while_the_first_is_still_decoded_are_all_heard"),
    ),
    "23 a small model that is much worse": (("unit/bench/test_runs.py", "test_a_model_that_is_too_often_wrong_fails"),),
    "24 a pause that ends what a key was to end": (
        (STEADY, "test_without_endpoints_nothing_is_final_before_the_release"),
    ),
    "25 a slow first sentence": (
        ("server/test_first_sentence.py", "test_the_first_sentences_after_ready_wait_for_nothing_to_be_loaded"),
    ),
}


@pytest.mark.parametrize("failure", TABLE)
def test_every_known_failure_has_its_test(failure: str) -> None:
    assert TABLE[failure]
    for file, name in TABLE[failure]:
        assert name in names_in(file)
