"""Blanks where Chinese characters and Latin words meet."""

import pytest

from voice_ime.engine.base import Change, Hypothesis, Word, word_spans
from voice_ime.engine.words import cut
from voice_ime.personalize.spacing import spaced


def hypothesis(text: str, *changes: Change, others: tuple[str, ...] = ()) -> Hypothesis:
    return Hypothesis(text, tuple(map(Word, cut(text))), others, final=True, changes=changes)


@pytest.mark.parametrize(
    ("text", "wide", "tight"),
    [
        ("我用Python写代码", "我用 Python 写代码", "我用Python写代码"),
        ("我用 Python 写代码", "我用 Python 写代码", "我用Python写代码"),
        ("打开GitHub。然后打开Slack", "打开 GitHub。然后打开 Slack", "打开GitHub。然后打开Slack"),
        ("Python是一种语言", "Python 是一种语言", "Python是一种语言"),
        ("学C++很难", "学 C++ 很难", "学C++很难"),
        ("send 邮件 to Ann Lee", "send 邮件 to Ann Lee", "send邮件to Ann Lee"),
        ("5G手机", "5G 手机", "5G手机"),
        ("下午3点", "下午3点", "下午3点"),
        ("下午 3 点", "下午 3 点", "下午3点"),
        ("他说“OK”就走了", "他说“OK”就走了", "他说“OK”就走了"),
        ("open the window, please", "open the window, please", "open the window, please"),
        ("今天下午开会", "今天下午开会", "今天下午开会"),
        ("", "", ""),
    ],
)
def test_a_blank_stands_there_or_does_not(text: str, wide: str, tight: str):
    assert spaced(hypothesis(text), blanks=True).text == wide
    assert spaced(hypothesis(text), blanks=False).text == tight


@pytest.mark.parametrize("blanks", [True, False])
def test_what_an_entry_or_a_rule_writes_stays_exactly_so(blanks: bool):
    closed = hypothesis("去卡拉OK吧", Change("replace", 1, 4, "", "卡拉OK", "e1"))
    assert "卡拉OK" in spaced(closed, blanks=blanks).text
    open_ = hypothesis("去卡拉 OK 吧", Change("rule", 1, 4, "", "卡拉 OK", "r1"))
    assert "卡拉 OK" in spaced(open_, blanks=blanks).text


def test_around_an_entry_there_is_a_blank_all_the_same():
    heard = hypothesis("用Kubernetes吧", Change("replace", 1, 2, "", "Kubernetes", "e1"))
    assert spaced(heard, blanks=True).text == "用 Kubernetes 吧"


def test_words_are_still_found_in_the_text():
    wide = spaced(hypothesis("我用Python写代码"), blanks=True)
    assert [wide.text[begin:end] for begin, end in word_spans(wide)] == [word.text for word in wide.words]


def test_other_texts_are_written_alike_and_told_once():
    heard = hypothesis("用Python写", others=("用 Python 写", "用Pylon写"))
    assert spaced(heard, blanks=True).alternatives == ("用 Pylon 写",)
