"""Chinese names that were written with other characters: how many a list of names puts right, and what it spoils.

    .venv/bin/python -m benchmarks.mandarin_names [--seeds 100 101 102 103 104] [--json FILE]
    .venv/bin/python -m benchmarks.mandarin_names --fit        the weights of the text score, from seeds 0 to 4

Everything is made up from a seed: 5,000 names, 500 sentences with names in which characters were swapped for others
that sound the same or that the person does not tell apart, and 500 sentences without any listed name, full of words
that sound like one. By text alone: no sound is asked. Beside that stand such sentences for an index that does not know
every fifth word of the language, and this project's own Chinese documents.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.start import ROOT, facts, tell
from voice_ime.engine.base import Hypothesis, Word
from voice_ime.engine.words import cut
from voice_ime.personalize.chinese_words import HAN, ChineseLexicon
from voice_ime.personalize.decide import Decider
from voice_ime.personalize.mandarin_index import Evidence, MandarinIndex, Weights
from voice_ime.personalize.phonetics.mandarin import ANY_TONE, Ear, Sounds, Syllable, alone, in_context, syllable
from voice_ime.personalize.profile import Entry, Preferences, Profile
from voice_ime.personalize.retrieve import Candidate

GIVEN = Path(__file__).with_name("given_characters_zh.tsv")
TUNED_ON = (0, 1, 2, 3, 4)
REPORTED = (100, 101, 102, 103, 104)
NAMES = 5000
SENTENCES = 500
FUZZY = ("n/l", "z/zh", "c/ch", "s/sh", "in/ing", "en/eng")
SHORT = 0.15
"""Part of the names that have two characters."""
ALTERED = 0.6
"""Chance of each character of a name to be heard as another one; one at least is."""
CONFUSED = 0.3
"""Of those, where the person does not tell the sound from another one: the part that is heard as that."""
OTHER_TONE = 0.05
"""Of those, the part that is heard in another tone."""
AS_WORD = 0.25
"""Chance that two neighbouring characters become a word of the language, where there is one that sounds the same."""
SHARED = 0.1
"""About the part of the spoken names that sound like another listed one: few of a random list do."""
UNKNOWN = 0.2
"""Part of the words of the language that the poorer index lacks."""
READINESS = 0.2
"""Added to the fitted constant: more names are put right, and harm is still far below its limit."""

WITH_NAMES = (
    "昨天下午{name}打电话来说会议改到{time}了，请你通知一下大家",
    "请把这份{thing}发给{name}，让他在{time}之前看完再回复我们",
    "我和{name}约好{time}在{place}门口见面，然后一起去吃饭",
    "{name}老师说下个星期的考试很重要，希望同学们好好准备{thing}",
    "麻烦你帮我问一下{name}，他的{thing}什么时候可以拿到",
    "这件事情是{name}负责的，有问题可以{time}直接去{place}找他",
    "上个月{name}从{place}回来以后，一直在忙新的{thing}",
    "我觉得{name}的意见很有道理，我们应该再考虑一下这个{thing}",
    "给{name}发一条短信，告诉他我{time}到{place}，不用等我吃饭",
    "{name}经理要求我们在{time}以前把{thing}全部整理好",
    "听说{name}和{name}要结婚了，婚礼就在{place}举行",
    "参加这次活动的有{name}、{name}还有几个从{place}来的朋友",
    "医生{name}建议他多休息，每天坚持散步，{time}再去检查一次",
    "如果{name}不同意，我们就只好{time}再开一次会讨论{thing}",
    "你还记得{name}吗，就是以前住在{place}旁边的那个同学",
    "今天早上我在{place}碰到了{name}，他让我代他向你问好",
    "联系人{name}的地址已经变了，新的地址在{place}附近",
    "{name}告诉记者，这个{thing}预计{time}就可以完成",
    "邮件抄送给{name}，附件里面是{time}要用的{thing}",
    "我们公司的{name}特别喜欢唱歌，{time}常常去{place}练习",
    "那本书是{name}写的，在{place}可以借到，你有空可以看看",
    "妈妈让{name}{time}去{place}买一点水果和牛奶回来",
    "根据{name}提供的{thing}，问题应该出在去年的合同里面",
    "提醒我{time}给{name}打电话，商量一下去{place}的事情",
    "王阿姨的儿子叫{name}，今年刚刚考上{place}旁边的大学",
    "收件人写{name}，电话号码不变，{time}以后送到{place}",
    "会上{name}第一个发言，他详细介绍了{thing}的情况",
    "我想请{name}帮忙修改一下{thing}，不知道他{time}有没有时间",
)
WITH_WORDS = (
    "他们在{place}讨论了{word}和{word}的关系，{time}才结束",
    "这篇文章主要介绍{word}，也提到了{word}以及{word}",
    "{time}的节目里，主持人谈到{word}，大家都觉得{word}更重要",
    "很多人以为{word}就是{word}，其实两者完全不同",
    "关于{word}的{thing}已经写好了，还缺{word}的部分",
    "我不太明白什么叫{word}，你能不能用{word}来说明",
    "在{place}可以看到{word}，但是看不到{word}和{word}",
    "没有{word}就没有{word}，这句话他{time}说了好几遍",
    "孩子们用{word}造句，也有人选择了{word}或者{word}",
    "老师让我们把{word}、{word}和{word}各抄写三遍",
)
FILLERS: Mapping[str, Sequence[str]] = {
    "time": ("今天晚上", "明天早上", "星期五下午", "下个月", "周末", "中午十二点", "国庆节", "月底", "三点半", "后天"),
    "place": ("图书馆", "火车站", "医院", "学校", "超市", "公园", "北京", "上海", "银行", "办公楼", "体育馆", "邮局"),
    "thing": ("报告", "计划", "资料", "项目", "课本", "表格", "合同", "方案", "名单", "申请书", "作业", "通知"),
}  # fmt: skip


@dataclass(frozen=True)
class Spoken:
    """A name in a sentence."""

    name: str
    begin: int
    """First character in the text that was heard."""
    heard: str


@dataclass(frozen=True)
class Sentence:
    heard: str
    names: tuple[Spoken, ...] = ()

    @cached_property
    def hypothesis(self) -> Hypothesis:
        return Hypothesis(self.heard, tuple(Word(word) for word in cut(self.heard)), final=True)


class Language:
    """What the generator knows of Chinese."""

    def __init__(self, lexicon: ChineseLexicon) -> None:
        self.lexicon = lexicon
        self.ear = Ear(FUZZY)
        lines = (line.split("\t") for line in GIVEN.read_text("utf-8").splitlines())
        self.given = {character: int(surnames) ** 2 for character, surnames in lines}

    @cached_property
    def surnames(self) -> dict[str, float]:
        """Commoner ones are likelier, as they are among people, but none is rare in the list."""
        return {name: 1 / (rank + 3) * (1 if len(name) == 1 else 3) for rank, name in enumerate(self.lexicon.surnames)}

    @cached_property
    def characters(self) -> dict[Syllable, dict[str, float]]:
        """By their first reading, with how readily they are written."""
        found: defaultdict[Syllable, dict[str, float]] = defaultdict(dict)
        for character in self.lexicon.explanations:
            weight = float(np.exp(self.lexicon.words.log_probability(character)))
            for first in alone(character)[:1]:
                found[first][character] = weight
        return found

    @cached_property
    def words(self) -> dict[Sounds, list[str]]:
        """Words of two to four characters by how they sound to this person."""
        found: defaultdict[Sounds, list[str]] = defaultdict(list)
        for word in self.lexicon.words.all():
            if 2 <= len(word) <= 4:
                found[self.folded(in_context(word))].append(word)
        return found

    def folded(self, sounds: Sounds) -> Sounds:
        return tuple(map(self.ear.fold, sounds))

    def sounds(self, name: str) -> Sounds:
        """The likeliest."""
        reading = self.lexicon.surnames.get(name[:1], ("", ""))[1]
        plain = in_context(name)
        return (syllable(reading), *plain[1:]) if reading else plain

    def confused(self, one: Syllable) -> list[Syllable]:
        """Other syllables that this person does not tell from `one`."""
        return [each for each in self.characters if each != one and self.ear.fold(each) == self.ear.fold(one)]


def names(language: Language, random: Random) -> list[str]:
    surnames, given = language.surnames, language.given
    found: dict[str, None] = {}
    while len(found) < NAMES:
        count = 1 if random.random() < SHORT else 2
        surname = random.choices(list(surnames), list(surnames.values()))[0]
        found[surname + "".join(random.choices(list(given), list(given.values()), k=count))] = None
    return list(found)


def misheard(name: str, language: Language, random: Random) -> str:
    """`name` with other characters, one at least."""
    sounds = list(language.sounds(name))
    altered = [at for at in range(len(name)) if random.random() < ALTERED] or [random.randrange(len(name))]
    heard = list(name)
    for at in altered:
        others = language.confused(sounds[at])
        if others and random.random() < CONFUSED:
            sounds[at] = random.choice(others)
        if random.random() < OTHER_TONE:
            sounds[at] = replace(sounds[at], tone=random.choice((1, 2, 3, 4)))
        heard[at] = _another(heard[at], language.characters.get(sounds[at], {}), random)
    if random.random() < AS_WORD:
        _as_word(heard, tuple(sounds), language, random)
    return "".join(heard)


def _another(character: str, alike: Mapping[str, float], random: Random) -> str:
    others = {each: weight for each, weight in alike.items() if each != character}
    return random.choices(list(others), list(others.values()))[0] if others else character


def _as_word(heard: list[str], sounds: Sounds, language: Language, random: Random) -> None:
    for at in random.sample(range(len(heard) - 1), len(heard) - 1):
        words = [word for word in language.words.get(language.folded(sounds[at : at + 2]), ()) if len(word) == 2]
        if words:
            heard[at : at + 2] = random.choice(words)
            return


def filled(template: str, random: Random, **choices: Sequence[str]) -> list[tuple[str, str]]:
    """(slot, text) in order; slot is empty for what stands in the template."""
    parts: list[tuple[str, str]] = []
    for piece in template.replace("}", "{").split("{"):
        known = choices.get(piece) or FILLERS.get(piece)
        parts.append((piece, random.choice(known)) if known else ("", piece))
    return parts


def with_names(listed: Sequence[str], language: Language, random: Random) -> Iterator[Sentence]:
    shared = [name for name, kind in kinds_of(listed, language).items() if kind == "shared"]
    pool = [*listed, *(shared * round(SHARED * len(listed) / max(1, len(shared))))]
    for _ in range(SENTENCES):
        text, spoken = "", []
        for slot, part in filled(random.choice(WITH_NAMES), random, name=pool):
            if slot == "name":
                heard = misheard(part, language, random)
                spoken.append(Spoken(part, len(text), heard))
                part = heard
            text += part
        yield Sentence(text, tuple(each for each in spoken if each.heard != each.name))


def sounding_like(listed: Sequence[str], language: Language) -> list[str]:
    """Words that sound like a listed name or like the beginning or the end of one; half but for the tones."""
    wanted = {language.folded(language.sounds(name)) for name in listed}
    wanted |= {sounds[:2] for sounds in wanted} | {sounds[1:] for sounds in wanted if len(sounds) > 2}
    exact = [sounds for sounds in language.words if any(part in wanted for part in _parts(sounds))]
    toneless = {_toneless(sounds) for sounds in wanted}
    near = [sounds for sounds in language.words if any(_toneless(part) in toneless for part in _parts(sounds))]
    some = Random(len(near)).sample(sorted(near, key=str), len(exact))
    known = set(listed)
    return [word for sounds in sorted(exact, key=str) + some for word in language.words[sounds] if word not in known]


def _toneless(sounds: Sounds) -> Sounds:
    return tuple(replace(each, tone=ANY_TONE) for each in sounds)


def _parts(sounds: Sounds) -> Iterator[Sounds]:
    """The whole, and of longer ones every three syllables."""
    yield sounds
    for at in range(len(sounds) - 2):
        yield sounds[at : at + 3]


def without_names(listed: Sequence[str], language: Language, random: Random) -> Iterator[Sentence]:
    words, known = sounding_like(listed, language), set(listed)
    made = 0
    while made < SENTENCES:
        text = "".join(part for _, part in filled(random.choice(WITH_WORDS), random, word=words))
        if not any(text[at : at + length] in known for length in (2, 3, 4) for at in range(len(text))):
            made += 1
            yield Sentence(text)


@dataclass(frozen=True)
class Decision:
    candidate: Candidate
    begin: int
    replaced: bool


def decisions(candidates: Sequence[Candidate], sentence: Sentence) -> list[Decision]:
    """By text alone."""
    verdicts = Decider().judge(candidates, [None] * len(candidates))
    begins = ((each, character_of(sentence.hypothesis, each.candidate.first)) for each in verdicts)
    return [Decision(each.candidate, begin, each.kind == "replace") for each, begin in begins]


def character_of(hypothesis: Hypothesis, word: int) -> int:
    """Where word number `word` begins."""
    before = sum(len(each.text) for each in hypothesis.words[:word])
    return before + next((at for at, each in enumerate(hypothesis.words[word].text) if HAN.match(each)), 0)


@dataclass
class Fate:
    """What became of the names of one kind."""

    spoken: int = 0
    recovered: int = 0
    offered: int = 0
    another_written: int = 0

    def add(self, name: str, here: Sequence[Decision]) -> None:
        written = {each.candidate.entry.written for each in here if each.replaced}
        offered = (each.candidate for each in here if not each.replaced)
        self.spoken += 1
        self.recovered += name in written
        self.offered += any(name in {one.entry.written, *(each.written for each in one.homophones)} for one in offered)
        self.another_written += bool(written - {name})

    def figures(self) -> dict[str, Any]:
        parts = {name: getattr(self, name) for name in ("recovered", "offered", "another_written")}
        return {"spoken": self.spoken, **{name: _part(some, self.spoken) for name, some in parts.items()}}


@dataclass
class Harm:
    """What became of text without listed names."""

    characters: int = 0
    changed: int = 0
    offered: int = 0

    def add(self, sentence: Sentence, made: Sequence[Decision]) -> None:
        self.characters += len(HAN.findall(sentence.heard))
        self.changed += sum(each.replaced for each in made)
        self.offered += sum(not each.replaced for each in made)

    def figures(self) -> dict[str, Any]:
        per_1000 = 1000 / max(1, self.characters)
        return {
            "characters": self.characters,
            "right_to_wrong_per_1000": round(self.changed * per_1000, 3),
            "offered_per_1000": round(self.offered * per_1000, 3),
        }


@dataclass
class Tally:
    names: dict[str, Fate] = field(default_factory=lambda: {"unique": Fate(), "shared": Fate()})
    beside_names: Harm = field(default_factory=Harm)
    """In the sentences with names, but at other places."""
    near_homophones: Harm = field(default_factory=Harm)
    near_homophones_some_words_unknown: Harm = field(default_factory=Harm)
    documents: Harm = field(default_factory=Harm)
    sentence_s: list[float] = field(default_factory=list)
    build_s: list[float] = field(default_factory=list)

    def add_names(self, sentence: Sentence, made: Sequence[Decision], kinds: Mapping[str, str]) -> None:
        places = {each.begin: each for each in sentence.names}
        self.beside_names.add(sentence, [each for each in made if each.begin not in places])
        for begin, spoken in places.items():
            self.names[kinds[spoken.name]].add(spoken.name, [each for each in made if each.begin == begin])

    def figures(self) -> dict[str, Any]:
        harms = ("beside_names", "near_homophones", "near_homophones_some_words_unknown", "documents")
        return {
            **{kind: fate.figures() for kind, fate in self.names.items()},
            **{name: getattr(self, name).figures() for name in harms},
            "ms_per_sentence": _percentiles(self.sentence_s),
            "build_s": [round(each, 2) for each in self.build_s],
        }


def _part(some: int, of_all: int) -> float:
    return round(some / max(1, of_all), 4)


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    return {f"p{part}": round(1000 * float(np.percentile(seconds, part)), 2) for part in (50, 95, 99)}


def profile_of(listed: Sequence[str]) -> Profile:
    entries = tuple(Entry(id=f"n{number}", written=name) for number, name in enumerate(listed))
    return Profile(name="names", entries=entries, preferences=Preferences(fuzzy=FUZZY))


def kinds_of(listed: Sequence[str], language: Language) -> dict[str, str]:
    sounds = {name: language.folded(language.sounds(name)) for name in listed}
    counts = Counter(sounds.values())
    return {name: "unique" if counts[sound] == 1 else "shared" for name, sound in sounds.items()}


class Poorer(ChineseLexicon):
    """Lacks some of the words of more than one character."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def codes(self) -> dict[str, int]:
        codes = super().codes()
        return {word: code for word, code in codes.items() if len(word) == 1 or self._random.random() >= UNKNOWN}


def own_documents() -> list[Sentence]:
    files = [ROOT / "README.zh.md", *sorted((ROOT / "docs" / "zh").glob("*.md"))]
    lines = (line.strip() for file in files for line in file.read_text("utf-8").splitlines())
    return [Sentence(line) for line in lines if len(HAN.findall(line)) >= 10]


def run(seed: int, language: Language, tally: Tally) -> None:
    random = Random(seed)
    listed = names(language, random)
    kinds = kinds_of(listed, language)
    began = time.perf_counter()
    index = MandarinIndex(profile_of(listed), language.lexicon)
    tally.build_s.append(time.perf_counter() - began)
    for sentence in with_names(listed, language, random):
        tally.add_names(sentence, decided(index, sentence, tally), kinds)
    poorer = MandarinIndex(profile_of(listed), Poorer(random))
    for sentence in without_names(listed, language, random):
        tally.near_homophones.add(sentence, decided(index, sentence, tally))
        tally.near_homophones_some_words_unknown.add(sentence, decided(poorer, sentence, tally))
    for sentence in own_documents():
        tally.documents.add(sentence, decisions(index.candidates(sentence.hypothesis, None), sentence))


def decided(index: MandarinIndex, sentence: Sentence, tally: Tally) -> list[Decision]:
    """Takes its time, which is that of this thread: other programs do not count."""
    hypothesis = sentence.hypothesis
    began = time.thread_time()
    candidates = index.candidates(hypothesis, None)
    tally.sentence_s.append(time.thread_time() - began)
    return decisions(candidates, sentence)


def fit(language: Language, seeds: Sequence[int]) -> Weights:
    """The weights that tell right from wrong candidates best."""
    rows, right = zip(*(each for seed in seeds for each in examples(seed, language)), strict=True)
    values = np.array([features(each) for each in rows], dtype=np.float64)
    weights = logistic(values, np.array(right, dtype=np.float64))
    weights[0] += READINESS
    names = [each.name for each in fields(Weights)][: len(weights)]
    return Weights(**{name: round(float(value), 2) for name, value in zip(names, weights, strict=True)})


def features(evidence: Evidence) -> tuple[float, ...]:
    """In the order of `Weights`."""
    capped = replace(evidence, margin=min(evidence.margin, 0.3))
    return (1.0, *(float(getattr(capped, each.name)) for each in fields(Weights)[1:-1]))


def examples(seed: int, language: Language) -> Iterator[tuple[Evidence, bool]]:
    """Every candidate, and whether writing it would be right."""
    random = Random(seed)
    listed = names(language, random)
    index = MandarinIndex(profile_of(listed), language.lexicon)
    for sentence in [*with_names(listed, language, random), *without_names(listed, language, random)]:
        meant = {each.begin: each.name for each in sentence.names}
        for one, evidence in index.found(sentence.hypothesis, None):
            said = meant.get(character_of(sentence.hypothesis, one.first))
            if not one.homophones:
                yield evidence, said == one.entry.written


def logistic(values: NDArray[np.float64], right: NDArray[np.float64], ridge: float = 1.0) -> NDArray[np.float64]:
    """Logistic regression by Newton's method; shape [features] from [examples, features] and [examples]."""
    weights = np.zeros(values.shape[1])
    for _ in range(50):
        odds = 1 / (1 + np.exp(-np.clip(values @ weights, -30, 30)))
        slope = values.T @ (right - odds) - ridge * weights
        curve = (values * (odds * (1 - odds))[:, None]).T @ values + ridge * np.eye(len(weights))
        weights += np.linalg.solve(curve, slope)
    return weights


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=REPORTED)
    parser.add_argument("--fit", action="store_true", help="find the weights instead")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    language = Language(ChineseLexicon())
    if arguments.fit:
        print(fit(language, TUNED_ON))
        return 0
    tally = Tally()
    for seed in arguments.seeds:
        run(seed, language, tally)
    about = {"seeds": list(arguments.seeds), "entries": NAMES, "fuzzy": FUZZY, "weights": asdict(Weights())}
    tell(facts() | about | tally.figures(), arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
