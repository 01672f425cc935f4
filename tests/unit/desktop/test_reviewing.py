"""Going through the doubtful words of a text, whatever the server does meanwhile."""

import asyncio
from dataclasses import dataclass, field

from voice_ime_desktop.reviewing import Reviewing

from tests.finals import OFFER, final, word
from voice_ime.messages import Messages
from voice_ime.protocol import Explain, Explained, FinalWord

SAY = Messages("en")
UNEXPLAINED = SAY("desktop.review.unexplained")


@dataclass
class Scene:
    asked: list[Explain] = field(default_factory=list)
    patience_s: float = 1000.0

    def __post_init__(self) -> None:
        self.reviewing = Reviewing(self.ask, SAY, patience_s=self.patience_s)

    def ask(self, question: Explain) -> bool:
        self.asked.append(question)
        return True

    def said(self, *words: FinalWord) -> None:
        text = " ".join(each.text for each in words)
        self.reviewing.begin(final(0, 1, text).model_copy(update={"words": words}), 1, text)

    async def explains(self) -> "asyncio.Task[list[str]]":
        """The key is pressed; the server has been asked."""
        _, spot = self.reviewing.next()
        assert spot is not None
        task = asyncio.create_task(self.reviewing.explanation(spot))
        await asyncio.sleep(0)
        return task

    def answer(self) -> None:
        for question in self.asked:
            answer = Explained(text=question.text, sentences=(f"{question.text}!",), rivals=())
            self.reviewing.explained(answer)


async def test_a_server_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    scene = Scene(patience_s=0.01)
    scene.said(word("ring", 0.5, "rink"))
    assert await (await scene.explains()) == ["1: rink.", UNEXPLAINED]


async def test_a_connection_that_is_cut_meanwhile_ends_the_waiting() -> None:
    scene = Scene()
    scene.said(word("ring", 0.5, "rink"))
    task = await scene.explains()
    scene.reviewing.cut()
    assert await task == ["1: rink.", UNEXPLAINED]


async def test_who_presses_again_before_the_answer_hears_only_the_next_word() -> None:
    scene = Scene()
    scene.said(word("one", 0.1), word("two", 0.2))
    first, second = await scene.explains(), await scene.explains()
    scene.answer()
    assert await first == []
    assert (await second)[0] == "two!"


async def test_an_explanation_of_an_old_text_is_not_said() -> None:
    scene = Scene()
    scene.said(word("one", 0.1))
    task = await scene.explains()
    scene.said(word("two", 0.1))
    scene.answer()
    assert await task == []
    assert scene.reviewing.choice(1) is None


async def test_nothing_can_be_taken_before_it_was_named() -> None:
    scene = Scene()
    scene.said(word("ring", 0.5, "rink"))
    task = await scene.explains()
    assert scene.reviewing.choice(1) is None
    scene.answer()
    await task
    assert scene.reviewing.choice(1) is not None


async def test_an_answer_that_nobody_waits_for_is_passed_over() -> None:
    scene = Scene()
    scene.reviewing.explained(Explained(text="ring", sentences=(), rivals=()))
    scene.reviewing.cut()


async def test_chinese_is_asked_about_as_chinese() -> None:
    scene = Scene()
    scene.said(word("章", 0.5), word("ring", 0.6))
    for _ in range(2):
        task = await scene.explains()
        scene.answer()
        await task
    assert {question.text: question.language for question in scene.asked} == {"章": "zh", "ring": "en"}


async def test_a_correction_that_is_too_long_for_the_server_names_only_the_words() -> None:
    scene = Scene()
    many = [word("word", 0.99)] * 500
    words = (word("ring"), word("kowalsky", 0.1), *many)
    text = " ".join(each.text for each in words)
    said = final(0, 1, text).model_copy(update={"words": words, "changes": (OFFER,)})
    scene.reviewing.begin(said, 1, text)
    task = await scene.explains()
    scene.answer()
    await task
    choice = scene.reviewing.choice(1)
    assert choice is not None
    assert (choice.correction.heard, choice.correction.meant) == ("kowalsky", "Kowalski")
