from pathlib import Path

from voice_ime.engine.tokens import Vocabulary

BYTES = [bytes([number]) for number in range(256)]
PIECES = ["▁a", "it", "▁i", "▁", "a", "i", "t", "é"]
VOCABULARY = Vocabulary([b"<unk>", b"<s>", b"</s>", *BYTES, *(piece.encode() for piece in PIECES)])
FIRST = 3 + 256


def ids(*pieces: str) -> list[int]:
    return [FIRST + PIECES.index(piece) for piece in pieces]


def test_pieces_become_text_with_blanks_between_words() -> None:
    assert VOCABULARY.text(ids("▁i", "t", "▁a", "t")) == "it at"


def test_marks_are_not_text() -> None:
    assert VOCABULARY.text([1, *ids("▁a"), 2]) == "a"


def test_bytes_become_the_character_they_spell() -> None:
    assert VOCABULARY.text([*ids("▁"), *(3 + byte for byte in "好".encode())]) == "好"


def test_a_character_cut_in_the_middle_does_no_harm() -> None:
    assert VOCABULARY.text([3 + "好".encode()[0]]) == "\N{REPLACEMENT CHARACTER}"


def test_text_becomes_the_pieces_joined_lowest_id_first() -> None:
    assert VOCABULARY.ids("it at") == ids("▁", "it", "▁a", "t")  # "it" has a lower id than "▁i"


def test_characters_without_a_piece_become_bytes() -> None:
    assert VOCABULARY.ids("é") == ids("▁", "é")
    assert VOCABULARY.ids("好") == [*ids("▁"), *(3 + byte for byte in "好".encode())]


def test_a_vocabulary_file_has_lengths_of_one_and_two_bytes(tmp_path: Path) -> None:
    long = "▁" + "a" * 300
    path = tmp_path / "tokenizer.bin"
    size = len(long.encode())
    path.write_bytes(
        b"".join([bytes([len(each)]) + each for each in (b"<unk>", b"<s>", b"</s>", *BYTES)])
        + bytes([size % 128 + 128, size // 128])
        + long.encode()
    )
    vocabulary = Vocabulary.from_file(path)
    assert vocabulary.text([FIRST]) == "a" * 300
