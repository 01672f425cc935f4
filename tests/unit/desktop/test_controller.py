"""What the desktop client does, without a desktop."""

from voice_ime_desktop.announce.base import Sound
from voice_ime_desktop.controller import Controller
from voice_ime_desktop.effects import (
    Changes,
    CloseSound,
    Deliver,
    DropSound,
    Effect,
    FindTarget,
    InsertHeld,
    OpenSound,
    Play,
    Quiet,
    Repeat,
    Say,
    SayText,
    SendContext,
    Undo,
    Where,
)
from voice_ime_desktop.events import (
    Answered,
    Event,
    Heard,
    MicrophoneBack,
    MicrophoneDead,
    Overdue,
    Pressed,
    Released,
    ServerBack,
    ServerLost,
    Settled,
    TargetFound,
    Taught,
    Trouble,
)
from voice_ime_desktop.focus.base import Kind, Target
from voice_ime_desktop.hotkeys.base import Press
from voice_ime_desktop.journal import Entry, State

EDITOR = Target("atspi :1.1 /editor", Kind.TEXT, "gedit")
OTHER = Target("atspi :1.2 /mail", Kind.TEXT, "mail")
PASSWORD = Target("atspi :1.4 /login", Kind.PASSWORD, "login")
TERMINAL = Target("atspi :1.3 /terminal", Kind.TERMINAL, "terminal")

DOWN, UP = Pressed(Press.TALK_DOWN), Pressed(Press.TALK_UP)


def run(controller: Controller, *events: Event) -> list[Effect]:
    """The effects of the last event."""
    effects: list[Effect] = []
    for event in events:
        effects = controller.handle(event)
    return effects


def entry(state: State, text: str = "Hello.", reason: str | None = None) -> Entry:
    return Entry(1, 0.0, text, "gedit", state, reason)


def test_the_key_down_is_silence_sound_target_and_a_tone() -> None:
    assert run(Controller("hold"), DOWN) == [Quiet(), OpenSound(1), FindTarget(1), Play(Sound.START)]


def test_the_key_up_closes_the_sound() -> None:
    assert run(Controller("hold"), DOWN, UP) == [CloseSound(1), Play(Sound.STOP)]


def test_a_second_key_down_without_a_key_up_is_nothing() -> None:
    assert run(Controller("hold"), DOWN, DOWN) == []


def test_who_cannot_hold_a_key_presses_it_twice() -> None:
    controller = Controller("toggle")
    assert OpenSound(1) in run(controller, DOWN)
    assert run(controller, UP) == []
    assert CloseSound(1) in run(controller, DOWN)


def test_a_toggle_command_works_in_either_mode() -> None:
    controller = Controller("hold")
    assert OpenSound(1) in run(controller, Pressed(Press.TALK_TOGGLE))
    assert CloseSound(1) in run(controller, Pressed(Press.TALK_TOGGLE))


def test_the_text_goes_to_what_had_the_focus_when_the_key_went_down() -> None:
    controller = Controller("hold")
    assert run(controller, DOWN, TargetFound(1, EDITOR, None)) == [SendContext(EDITOR)]
    run(controller, UP, Released(1, 16000))
    assert run(controller, Heard("u0", 0, "Hello.")) == [Deliver("u0", "Hello.", EDITOR, None)]


def test_a_final_that_comes_before_the_target_is_known_waits_for_it() -> None:
    controller = Controller("hold")
    assert run(controller, DOWN, UP, Released(1, 16000), Heard("u0", 0, "Hello.")) == []
    assert run(controller, Answered(16000)) == []
    assert run(controller, TargetFound(1, EDITOR, None)) == [
        SendContext(EDITOR),
        Deliver("u0", "Hello.", EDITOR, None),
    ]


def test_of_two_dictations_each_text_goes_to_its_own_target() -> None:
    controller = Controller("hold")
    run(controller, DOWN, TargetFound(1, EDITOR, None), UP, Released(1, 16000))
    run(controller, DOWN, TargetFound(2, OTHER, None))
    assert run(controller, Heard("u0", 0, "One.")) == [Deliver("u0", "One.", EDITOR, None)]
    assert run(controller, Answered(16000)) == []
    run(controller, UP, Released(2, 32000))
    assert run(controller, Heard("u16000", 16000, "Two.")) == [Deliver("u16000", "Two.", OTHER, None)]


def test_nothing_heard_is_said() -> None:
    controller = Controller("hold")
    run(controller, DOWN, TargetFound(1, EDITOR, None), UP, Released(1, 16000))
    assert run(controller, Answered(16000)) == [Say("nothing_heard")]
    assert run(controller, Answered(16000)) == []


def test_that_an_answer_takes_long_is_said_of_the_oldest_one() -> None:
    controller = Controller("hold")
    run(controller, DOWN, TargetFound(1, EDITOR, None), UP, Released(1, 16000))
    run(controller, DOWN, TargetFound(2, EDITOR, None), UP, Released(2, 32000))
    assert run(controller, Overdue(1)) == [Say("working")]
    assert run(controller, Overdue(2)) == []
    run(controller, Heard("u0", 0, "One."), Answered(16000))
    assert run(controller, Overdue(1)) == []


def test_while_the_server_is_away_nothing_is_said_to_be_worked_on() -> None:
    controller = Controller("hold")
    run(controller, DOWN, TargetFound(1, EDITOR, None), UP, Released(1, 16000), ServerLost())
    assert run(controller, Overdue(1)) == []


def test_into_a_password_field_nobody_listens() -> None:
    password = Target("atspi :1.1 /password", Kind.PASSWORD, "browser")
    controller = Controller("hold")
    assert run(controller, DOWN, TargetFound(1, password, "password")) == [
        DropSound(1),
        Play(Sound.REFUSED),
        Say("reason.password"),
    ]
    assert run(controller, UP) == []
    assert OpenSound(2) in run(controller, DOWN)


def test_where_no_text_can_go_the_words_are_taken_and_the_reason_goes_with_them() -> None:
    button = Target("atspi :1.1 /button", Kind.OTHER, "browser")
    controller = Controller("hold")
    run(controller, DOWN, TargetFound(1, button, "no_text_field"), UP, Released(1, 16000))
    assert run(controller, Heard("u0", 0, "Hello.")) == [Deliver("u0", "Hello.", button, "no_text_field")]


def test_escape_forgets_what_is_being_said_and_says_so() -> None:
    controller = Controller("hold")
    assert run(controller, DOWN, Pressed(Press.CANCEL)) == [DropSound(1), Say("cancelled")]
    assert run(controller, UP) == []
    assert run(controller, Pressed(Press.CANCEL)) == []


def test_a_text_of_nobody_is_held_never_lost() -> None:
    assert run(Controller("hold"), Heard("u0", 0, "Hello.")) == [Deliver("u0", "Hello.", None, None)]


def test_what_was_inserted_is_spoken() -> None:
    assert run(Controller("hold"), Settled(entry(State.VERIFIED), EDITOR)) == [SayText("Hello.")]


def test_what_cannot_be_checked_is_spoken_with_a_warning() -> None:
    effects = run(Controller("hold"), Settled(entry(State.UNVERIFIED), EDITOR))
    assert effects == [SayText("Hello."), Say("unverified")]


def test_in_a_terminal_a_short_sound_stands_for_the_text() -> None:
    assert run(Controller("hold"), Settled(entry(State.VERIFIED), TERMINAL)) == [Play(Sound.INSERTED)]


def test_what_is_held_or_refused_is_said_with_the_reason_also_in_a_terminal() -> None:
    held = run(Controller("hold"), Settled(entry(State.HELD, reason="focus_moved"), TERMINAL))
    assert held == [Play(Sound.HELD), Say("held", (("why", "reason.focus_moved"),))]
    refused = run(Controller("hold"), Settled(entry(State.REFUSED, reason="read_only"), TERMINAL))
    assert refused == [Play(Sound.REFUSED), Say("refused_kept", (("why", "reason.read_only"),))]


def test_a_lost_server_and_its_return_are_said_once() -> None:
    controller = Controller("hold")
    assert run(controller, ServerLost()) == [Say("server_lost")]
    assert run(controller, ServerLost()) == []
    assert run(controller, ServerBack()) == [Say("server_back")]
    assert run(controller, ServerBack()) == []


def test_the_other_keys_do_what_they_are_for() -> None:
    controller = Controller("hold")
    assert run(controller, Pressed(Press.INSERT_HELD)) == [InsertHeld()]
    assert run(controller, Pressed(Press.REPEAT)) == [Repeat()]
    assert run(controller, Pressed(Press.WHERE)) == [Where()]
    assert run(controller, Pressed(Press.UNDO)) == [Undo()]


def test_trouble_is_said_in_its_own_sentences() -> None:
    assert run(Controller("hold"), Trouble(("It broke.", "Mend it."))) == [SayText("It broke."), SayText("Mend it.")]


def test_asked_what_was_changed_it_is_told() -> None:
    assert run(Controller("hold"), Pressed(Press.CHANGES)) == [Changes()]


def test_what_was_learned_is_said_unless_it_is_nothing() -> None:
    controller = Controller("hold")
    assert run(controller, Taught("Learned.")) == [SayText("Learned.")]
    assert run(controller, Taught("")) == []


def test_what_was_learned_is_not_said_into_the_microphone() -> None:
    controller = Controller("hold")
    assert run(controller, DOWN, Taught("Learned.")) == []
    assert run(controller, UP) == [CloseSound(1), Play(Sound.STOP)]
    assert run(controller, Taught("More.")) == []
    assert run(controller, Released(1, 16000)) == [SayText("Learned."), SayText("More.")]
    assert run(controller, DOWN, UP, Released(2, 32000)) == []


def test_what_became_of_a_text_is_not_said_into_the_microphone() -> None:
    """A long sentence is cut and inserted while its speaker goes on; so is the last one of who begins the next."""
    controller = Controller("toggle")
    assert run(controller, DOWN, Settled(entry(State.VERIFIED, "One."), EDITOR)) == []
    assert run(controller, Settled(entry(State.HELD, reason="focus_moved"), EDITOR)) == [Play(Sound.HELD)]
    assert run(controller, DOWN, Released(1, 16000)) == [
        SayText("One."),
        Say("held", (("why", "reason.focus_moved"),)),
    ]


def test_that_nothing_was_heard_is_not_said_into_the_microphone() -> None:
    controller = Controller("hold")
    run(controller, DOWN, TargetFound(1, EDITOR, None), UP, Released(1, 16000), DOWN)
    assert run(controller, Answered(16000)) == []
    assert run(controller, UP, Released(2, 32000)) == [Say("nothing_heard")]


def test_that_the_server_is_lost_is_not_said_into_the_microphone() -> None:
    controller = Controller("hold")
    assert run(controller, DOWN, ServerLost()) == []
    assert run(controller, UP, Released(1, 16000)) == [Say("server_lost")]


def test_trouble_is_not_said_into_the_microphone() -> None:
    controller = Controller("hold")
    assert run(controller, DOWN, Trouble(("It broke.", "Mend it."))) == []
    assert run(controller, UP, Released(1, 16000)) == [SayText("It broke."), SayText("Mend it.")]


DEAD = MicrophoneDead(("The microphone went dead.", "Check its plug."))
SAID = [SayText("The microphone went dead."), SayText("Check its plug.")]


def test_that_the_microphone_is_dead_is_said_at_once_and_what_it_heard_is_answered() -> None:
    controller = Controller("hold")
    assert run(controller, DOWN, DEAD) == SAID
    assert CloseSound(1) in run(controller, UP)


def test_a_microphone_that_comes_back_while_one_talks_asks_to_go_on_with_the_tone() -> None:
    controller = Controller("hold")
    assert run(controller, DOWN, DEAD, MicrophoneBack()) == [Play(Sound.START)]
    assert run(controller, UP, Released(1, 16000)) == [Say("microphone_back")]


def test_who_talks_to_a_dead_microphone_hears_that_in_place_of_the_tone() -> None:
    controller = Controller("hold")
    assert run(controller, DEAD, DOWN) == [Quiet(), *SAID]
    assert run(controller, UP) == []
    assert run(controller, MicrophoneBack()) == [Say("microphone_back")]
    assert Play(Sound.START) in run(controller, DOWN)


def test_who_cancels_hears_what_was_learned() -> None:
    assert run(Controller("hold"), DOWN, Taught("Learned."), Pressed(Press.CANCEL))[-1] == SayText("Learned.")


def test_who_is_refused_hears_what_was_learned() -> None:
    found = TargetFound(1, PASSWORD, "password")
    assert run(Controller("hold"), DOWN, Taught("Learned."), found)[-1] == SayText("Learned.")
