"""Writes what is known about Chinese words: voice_ime/personalize/data/mandarin/, and characters of given names.

    pip download --no-deps --no-binary :all: jieba==0.42.1 && tar xf jieba-0.42.1.tar.gz
    .venv/bin/python -m scripts.make_explanations jieba-0.42.1/jieba/dict.txt

The dictionary of jieba (MIT) has a word, how often it was counted, and its part of speech on each line.
"""

import argparse
import lzma
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pypinyin import Style, pinyin

from scripts.setup import ROOT
from voice_ime.personalize.chinese_words import DATA, pack
from voice_ime.personalize.phonetics.mandarin import spelled

GIVEN_CHARACTERS = ROOT / "benchmarks" / "given_characters_zh.tsv"
_HAN = re.compile("[\u4e00-\u9fff]+")
SIMPLIFIED = "gb2312"
"""The dictionary has words whose bytes were once read in a wrong encoding; none of those is in this character set."""
LONGEST = 7
RAREST = 5
RAREST_NAME = 100
"""People of novels and history are no evidence for how a name of today is written, but the best known are words."""
RAREST_EXPLAINING = 200
CHARACTERS = 6500
LONGER = 0.01
"""A word of three or four characters explains only where there is none of two."""
NOT_GIVEN = frozenset(
    "大之子人家公老小一二三四五六七八九十百千氏克斯尔夫哥师里王先生长太上下左右不的了是在有和也儿爷叔伯婆姐妹弟兄父母"
)
"""Seen after surnames, but as titles, in foreign names, or because the surname is a word."""
UNKIND_WORDS = ("窑子", "鬼子", "屠杀", "自杀", "畜生", "混蛋", "王八", "笨蛋", "傻蛋", "傻子", "白痴", "杀人", "杀死")
UNKIND_CHARACTERS = frozenset("毒尸奸淫妓嫖娼婊屎尿狎荡")
"""Nobody wants to hear these in the place of a name; such a character itself has to be explained by them."""
PROPER = 0.25
"""Places and the like are known to fewer people."""
AMBIGUOUS = 0.1
"""How much less a word explains where a word that sounds the same is about as common."""


@dataclass(frozen=True)
class Row:
    word: str
    count: int
    tag: str

    @property
    def is_name(self) -> bool:
        return self.tag.startswith("nr") and len(self.word) > 1


def rows_of(dictionary: Path) -> list[Row]:
    fields = (line.split() for line in dictionary.read_text("utf-8").splitlines())
    rows = [Row(word, int(count), tag) for word, count, tag in fields]
    return [row for row in rows if _HAN.fullmatch(row.word) and len(row.word) <= LONGEST and is_simplified(row.word)]


def is_simplified(word: str) -> bool:
    try:
        return bool(word.encode(SIMPLIFIED))
    except UnicodeEncodeError:
        return False


def words_of(rows: Iterable[Row]) -> dict[str, int]:
    return {row.word: row.count for row in rows if row.count >= (RAREST_NAME if row.is_name else RAREST)}


def commonest_characters(rows: Iterable[Row]) -> list[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        for character in row.word:
            counts[character] += row.count
    return [character for character, _ in counts.most_common(CHARACTERS)]


def sound_of(word: str) -> tuple[str, ...]:
    return tuple(each[0] for each in pinyin(word, style=Style.TONE3, neutral_tone_with_five=True))


def explaining(rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    """For each character and each of its readings the word that tells it best."""
    pairs = [row for row in rows if 2 <= len(row.word) <= 4 and not row.is_name and row.word not in UNKIND_WORDS]
    best: dict[tuple[str, str], tuple[float, str]] = {}
    alike: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    sounds = {row.word: sound_of(row.word) for row in pairs}
    for row in pairs:
        alike[sounds[row.word]].append(row.count)
    for row in pairs:
        sound = sounds[row.word]
        rivals = [count for count in alike[sound] if count >= row.count / 4]
        worth = row.count * (AMBIGUOUS if len(rivals) > 1 else 1) * (LONGER if len(row.word) > 2 else 1)
        unkind = UNKIND_CHARACTERS.intersection(row.word)
        worth *= PROPER if row.tag in ("ns", "nt") else 1
        for character, syllable in zip(row.word, sound, strict=True):
            if spelled([syllable]) and unkind <= {character}:
                best[character, syllable] = max(best.get((character, syllable), (0.0, "")), (worth, row.word))
    return _by_character(best)


def _by_character(best: Mapping[tuple[str, str], tuple[float, str]]) -> dict[str, dict[str, str]]:
    found: defaultdict[str, list[tuple[float, str, str]]] = defaultdict(list)
    for (character, syllable), (worth, word) in best.items():
        found[character].append((worth, syllable, word))
    return {
        character: {
            syllable: word
            for number, (worth, syllable, word) in enumerate(sorted(readings, reverse=True))
            if number == 0 or worth >= RAREST_EXPLAINING
        }
        for character, readings in found.items()
    }


def given_characters(rows: Iterable[Row], surnames: set[str]) -> list[tuple[str, int]]:
    """Characters of given names; the number is that of the different surnames they were seen with."""
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.tag == "nr" and len(row.word) == 3 and row.word[0] in surnames:
            for character in set(row.word[1:]) - NOT_GIVEN:
                seen[character].add(row.word[0])
    counted = [(character, len(before)) for character, before in seen.items() if len(before) >= 5]
    return sorted(counted, key=lambda each: (-each[1], each[0]))


def single_surnames() -> set[str]:
    lines = (DATA / "surnames.tsv").read_text("utf-8").splitlines()
    return {name for line in lines if not line.startswith("#") and len(name := line.split("\t")[0]) == 1}


def write(rows: list[Row]) -> None:
    words = {word: round(2 * math.log(count)) for word, count in words_of(rows).items()}
    (DATA / "words.xz").write_bytes(lzma.compress(pack(words).encode(), preset=9))
    told = explaining(rows)
    lines = [
        "\t".join([character, *(f"{syllable} {word}" for syllable, word in told[character].items())])
        for character in commonest_characters(rows)
        if character in told
    ]
    (DATA / "characters.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    given = given_characters(rows, single_surnames())
    GIVEN_CHARACTERS.write_text("".join(f"{character}\t{count}\n" for character, count in given), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dictionary", type=Path, metavar="DICT")
    write(rows_of(parser.parse_args().dictionary))


if __name__ == "__main__":
    main()
