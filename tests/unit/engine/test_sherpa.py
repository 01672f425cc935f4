"""sherpa-onnx: what a model folder is, what may be asked of the library, and what is found out beside it."""

import math
import shutil
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.needs import needs_package
from voice_ime.engine.base import SAMPLE_RATE, Options, Samples, Substitution
from voice_ime.engine.sherpa_folder import KINDS, metadata, read_folder
from voice_ime.engine.sherpa_tokens import Place, Tokens, places, read_tokens
from voice_ime.engine.words import without_han_blanks
from voice_ime.errors import ConfigError, ModelDamaged, ModelKindUnknown, ModelNotFound, RecognitionFailed
from voice_ime.messages import Messages
from voice_ime.settings import SherpaSettings

needs_package("sherpa-onnx")
needs_package("kaldi-native-fbank")

from voice_ime.engine.sherpa import SherpaEngine  # noqa: E402
from voice_ime.engine.sherpa_recognizer import _OPENERS, Heard  # noqa: E402
from voice_ime.engine.sherpa_scoring import Written, ctc_scores, features, spans_of, transducer_scores  # noqa: E402
from voice_ime.engine.sherpa_words import words_of  # noqa: E402

MICRO = MODELS / "micro_zh"
RAN = ("streaming-transducer", "streaming-ctc", "transducer", "ctc")
TRANSDUCERS = ("streaming-transducer", "transducer")
NAMED = MICRO / "clips" / "name-00.ogg"
"""章经理的电脑在办公室, which the models write with the usual 张."""
ZHAO = MICRO / "clips" / "trained-24.ogg"
"""老赵的声音在成都"""


@pytest.fixture(scope="module", params=RAN)
def engine(request: pytest.FixtureRequest) -> Iterator[SherpaEngine]:
    yield from opened(request.param)


@pytest.fixture(scope="module", params=TRANSDUCERS)
def transducer(request: pytest.FixtureRequest) -> Iterator[SherpaEngine]:
    yield from opened(request.param)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of a model that a test may spoil."""
    return Path(shutil.copytree(MICRO / "streaming-transducer", tmp_path / "a-model"))


def opened(kind: str) -> Iterator[SherpaEngine]:
    engine = SherpaEngine(SherpaSettings(folder=MICRO / kind, threads=1))
    yield engine
    engine.close()


def text_of(engine: SherpaEngine, sound: Samples, phrases: tuple[str, ...] = ()) -> str:
    utterance = engine.begin(Options(language="zh", phrases=phrases))
    utterance.feed(sound)
    return utterance.finish().text


# --- what a folder holds ---


@pytest.mark.parametrize("kind", RAN)
def test_the_kind_of_a_model_is_found_out_from_its_files(kind: str):
    assert read_folder(MICRO / kind).kind == kind


def test_there_is_a_call_for_each_kind():
    assert _OPENERS.keys() == KINDS.keys()


def test_kinds_that_never_ran_here_say_so_where_they_are_called():
    never = {kind for kind, call in _OPENERS.items() if "Never run here" in (call.__doc__ or "")}
    assert never == {kind for kind, facts in KINDS.items() if not facts.ran_here}


def test_files_with_eight_bit_weights_are_preferred_but_for_the_small_decoder(copy: Path):
    for part in ("encoder", "decoder", "joiner"):
        shutil.copy(copy / f"{part}.int8.onnx", copy / f"{part}.onnx")
    names = {role: path.name for role, path in read_folder(copy).parts.items()}
    assert names == {"encoder": "encoder.int8.onnx", "decoder": "decoder.onnx", "joiner": "joiner.int8.onnx"}


@pytest.mark.parametrize("name", ["encoder.int8.onnx", "tokens.txt", "decoder.int8.onnx"])
def test_a_missing_file_is_named_with_the_command_that_gets_the_model(copy: Path, name: str):
    (copy / name).unlink()
    with pytest.raises((ModelNotFound, ConfigError)) as missing:
        read_folder(copy, "streaming-transducer")
    assert name.split(".")[0] in str(missing.value.values["where"])
    assert missing.value.values["command"] == "voice-ime models pull a-model"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ModelNotFound) as missing:
        SherpaEngine(SherpaSettings(folder=tmp_path / "nowhere"))
    assert missing.value.values["where"] == str(tmp_path / "nowhere")


def test_a_model_of_an_unknown_kind_asks_for_the_setting(copy: Path):
    for part in ("decoder", "joiner"):
        (copy / f"{part}.int8.onnx").unlink()
    with pytest.raises(ModelKindUnknown) as unknown:
        read_folder(copy)
    assert unknown.value.values["where"] == str(copy)
    assert "engine.sherpa.kind" in Messages("zh").error(unknown.value)[1]


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\xff" * 100, bytes(range(256))])
def test_what_is_no_onnx_file_says_nothing_of_itself(tmp_path: Path, content: bytes):
    (tmp_path / "model.onnx").write_bytes(content)
    assert metadata(tmp_path / "model.onnx") == {}


def test_an_onnx_file_says_what_it_is_without_being_loaded():
    says = metadata(MICRO / "streaming-ctc" / "model.int8.onnx")
    assert says["model_type"] == "zipformer2_ctc"
    assert says["decode_chunk_len"] == "32"


# --- models that would end the process ---


def spoil(path: Path) -> None:
    """Half of it, as after a cut download."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("name", ["encoder.int8.onnx", "decoder.int8.onnx", "joiner.int8.onnx"])
def test_a_damaged_model_is_refused_with_a_remedy(copy: Path, name: str):
    spoil(copy / name)
    with pytest.raises(ModelDamaged) as damaged:
        SherpaEngine(SherpaSettings(folder=copy, kind="streaming-transducer", threads=1))
    assert damaged.value.values["model"] == "a-model"


def test_a_model_that_makes_the_library_end_the_process_ends_only_a_child(copy: Path):
    """A model that is called streaming and is not: the library misses a value and exits."""
    with pytest.raises(ModelDamaged):
        SherpaEngine(SherpaSettings(folder=MICRO / "ctc", kind="streaming-ctc", threads=1))


def test_a_model_that_takes_too_long_to_try_out_is_refused():
    with pytest.raises(ModelDamaged):
        SherpaEngine(SherpaSettings(folder=MICRO / "ctc", threads=1, check_s=0.001))


@pytest.mark.parametrize("table", [b"", b"no numbers here\n", b"\xff\xfe \xff\n"])
def test_a_table_of_tokens_that_is_none_is_refused(copy: Path, table: bytes):
    (copy / "tokens.txt").write_bytes(table)
    with pytest.raises(ModelDamaged):
        SherpaEngine(SherpaSettings(folder=copy, threads=1))


def test_after_closing_recognition_fails_by_name():
    engine = next(opened("ctc"))
    utterance = engine.begin(Options())
    engine.close()
    with pytest.raises(RecognitionFailed):
        utterance.finish()


# --- phrases ---


MIXED = Tokens({"<blk>": 0, "章": 1, "先": 2, "生": 3, "▁": 4, "K": 5, "▁KU": 6, "B": 7, "E": 8, "·": 9})
PIECES = dict.fromkeys(("▁", "K", "▁KU", "B", "E", "U"), -1.0)


@pytest.mark.parametrize("phrase", ["章", "章先生", " 章 先生 ", "章\n先生"])
def test_a_phrase_of_known_characters_is_usable(phrase: str):
    assert MIXED.usable([phrase])


@pytest.mark.parametrize(
    "phrase", ["", " ", "黄", "章黄", "章/先", "章:2.0", "：", "#章", "@章", "章，先生", "章" * 41, "Kube"]
)
def test_a_phrase_that_the_library_would_cut_short_or_misread_is_not_usable(phrase: str):
    assert MIXED.usable([phrase]) == ()


def test_latin_words_are_usable_only_where_the_library_has_a_table_to_spell_them_with():
    assert MIXED.usable(["kube"]) == ()
    assert Tokens(MIXED.numbers, PIECES).usable(["kube", "kubq", "章kube"]) == ("KUBE", "章 KUBE")


def test_a_table_with_pieces_that_the_model_cannot_write_is_not_trusted(tmp_path: Path):
    (tmp_path / "tokens.txt").write_text("<blk> 0\n▁A 1\n", "utf-8")
    (tmp_path / "bpe.vocab").write_text("<unk>\t0\n▁A\t-1\n▁B\t-2\n", "utf-8")
    assert read_tokens(tmp_path / "tokens.txt", tmp_path / "bpe.vocab").pieces is None


def lettered(folder: Path, names: dict[str, str], pieces: list[str]) -> Path:
    """The streaming transducer with other texts for its tokens, and a model of SentencePiece with these pieces."""
    shutil.copytree(MICRO / "streaming-transducer", folder)
    rows = [line.split() for line in (folder / "tokens.txt").read_text("utf-8").splitlines()]
    (folder / "tokens.txt").write_text("".join(f"{names.get(text, text)} {number}\n" for text, number in rows), "utf-8")
    messages = []
    for piece in pieces:
        text = piece.encode()
        message = bytes([0x0A, len(text)]) + text + b"\x15" + struct.pack("<f", -1.0)
        messages.append(bytes([0x0A, len(message)]) + message)
    (folder / "bpe.model").write_bytes(b"".join(messages))
    return folder


def test_phrases_work_where_each_character_is_a_word_piece(tmp_path: Path):
    """As in X-ASR, whose pieces are "▁章" and so on."""
    characters = [token for token in read_tokens(MICRO / "ctc" / "tokens.txt", None).numbers if token != "<blk>"]
    names = {character: f"▁{character}" for character in characters}
    engine = SherpaEngine(SherpaSettings(folder=lettered(tmp_path / "m", names, [*names.values()]), threads=1))
    assert engine.capabilities.takes_phrases
    assert engine.usable_phrases(["章经理", "鑫"]) == ("章经理",)
    assert "章" not in text_of(engine, sound_of(NAMED))
    assert text_of(engine, sound_of(NAMED), ("章经理",)) == "章经理的电脑在办公室"
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(sound_of(ZHAO))
    final = utterance.finish()
    assert final.text == "老赵的声音在成都"
    assert all(word.start_s is not None and word.confidence is not None for word in final.words)
    assert utterance.score(["老赵的声音在成都"])[0] > utterance.score(["老林的声音在成都"])[0] > -math.inf


def test_a_name_in_latin_letters_is_spelled_in_pieces_and_heard_because_it_was_asked_for(tmp_path: Path):
    names = {"章": "▁ZHANG", "茶": "Z", "课": "H", "钱": "A", "衣": "N", "叹": "G", "写": "▁"}
    engine = SherpaEngine(SherpaSettings(folder=lettered(tmp_path / "m", names, [*names.values()]), threads=1))
    assert engine.usable_phrases(["zhang", "Zhang经理", "zhou"]) == ("zhang", "Zhang经理")
    assert text_of(engine, sound_of(NAMED), ("Zhang",)) == "zhang经理的电脑在办公室"


def test_the_engine_says_which_phrases_it_can_use(transducer: SherpaEngine):
    assert transducer.usable_phrases(["章", "Yreka", "章:9", "北京"]) == ("章", "北京")


def test_an_engine_without_phrases_can_use_none():
    engine = next(opened("ctc"))
    assert not engine.capabilities.takes_phrases
    assert engine.usable_phrases(["章"]) == ()


def test_a_name_is_heard_because_it_was_asked_for(transducer: SherpaEngine):
    sound = sound_of(NAMED)
    assert "章" not in text_of(transducer, sound)
    assert text_of(transducer, sound, ("章",)) == "章经理的电脑在办公室"


def test_a_name_is_heard_when_the_sound_is_heard_again_with_it(transducer: SherpaEngine):
    utterance = transducer.begin(Options(language="zh"))
    utterance.feed(sound_of(NAMED))
    utterance.finish()
    again = utterance.rehear(("章",))
    assert again.text == "章经理的电脑在办公室"
    assert again.final


def test_phrases_of_one_utterance_are_gone_in_the_next(transducer: SherpaEngine):
    sound = sound_of(NAMED)
    before = text_of(transducer, sound)
    text_of(transducer, sound, ("章",))
    assert text_of(transducer, sound) == before


@pytest.mark.parametrize("phrases", [("/",), (":2",), ("章/:9",), ("\x00",), ("🜁" * 30, "章\n")])
def test_hostile_phrases_change_nothing(transducer: SherpaEngine, phrases: tuple[str, ...]):
    sound = sound_of(ZHAO)
    assert text_of(transducer, sound, phrases) == text_of(transducer, sound)


def test_the_library_writes_neither_phrases_nor_texts_to_the_terminal(
    transducer: SherpaEngine, capfd: pytest.CaptureFixture[str]
):
    """It does, where it is given a phrase that it cannot spell."""
    text_of(transducer, sound_of(NAMED), ("章", "Yreka", "鑫", "章/鑫 :2"))
    assert "".join(capfd.readouterr()) == ""


def test_with_one_path_there_are_no_phrases_and_still_a_text():
    engine = SherpaEngine(SherpaSettings(folder=MICRO / "streaming-transducer", threads=1, paths=1))
    assert not engine.capabilities.takes_phrases
    assert text_of(engine, sound_of(ZHAO), ("章",)) == "老赵的声音在成都"


# --- hearing ---


def test_the_languages_are_those_that_the_tokens_can_write(engine: SherpaEngine):
    assert engine.capabilities.languages == ("zh",)


def test_the_languages_may_be_set():
    settings = SherpaSettings(folder=MICRO / "ctc", threads=1, languages=("zh", "en"))
    assert SherpaEngine(settings).capabilities.languages == ("zh", "en")


def test_the_last_word_is_heard_though_the_sound_ends_with_it(engine: SherpaEngine):
    sound = sound_of(ZHAO)
    loud = np.nonzero(np.abs(sound) > 0.02)[0][-1]
    assert text_of(engine, sound[: loud + 1]) == "老赵的声音在成都"


def test_characters_are_words_with_rising_times_and_confidence(engine: SherpaEngine):
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(sound_of(ZHAO))
    final = utterance.finish()
    assert [word.text for word in final.words] == list("老赵的声音在成都")
    starts = [word.start_s or 0.0 for word in final.words]
    assert all(earlier < later for earlier, later in pairwise(starts))
    assert all(0.2 < (word.confidence or 0.0) <= 1 for word in final.words)


def test_a_final_that_was_prepared_in_a_pause_is_the_same(engine: SherpaEngine):
    sound = sound_of(ZHAO)
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(sound[:20_000])
    utterance.prepare()
    utterance.feed(sound[20_000:])
    prepared = utterance.prepare()
    final = utterance.finish()
    assert final.text == "老赵的声音在成都"
    assert prepared is None or prepared == final


# --- scores ---


def test_what_was_said_is_likelier_than_the_same_with_another_name(engine: SherpaEngine):
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(sound_of(ZHAO))
    utterance.finish()
    said, *others = utterance.score([f"老{name}的声音在成都" for name in "赵王林周黄"])
    assert said > max(others)


def test_a_substitution_against_the_sound_costs_and_of_one_that_cannot_be_written_nobody_can_say(engine: SherpaEngine):
    utterance = engine.begin(Options(language="zh"))
    utterance.feed(sound_of(ZHAO))
    final = utterance.finish()
    against, unknown, said = utterance.price(
        final, [Substitution(1, 2, ("林",)), Substitution(1, 2, ("鑫", "燊")), Substitution(1, 2, ("鑫", "赵"))]
    )
    assert against is not None
    assert against < -5
    assert unknown is None
    assert said == pytest.approx(0, abs=0.01)


def test_scores_are_the_same_where_they_were_made_ready_in_a_pause(engine: SherpaEngine):
    scores = []
    for _ in range(2):
        utterance = engine.begin(Options(language="zh"))
        utterance.feed(sound_of(ZHAO)[:-8000])
        utterance.prepare()
        utterance.feed(sound_of(ZHAO)[-8000:])
        utterance.prepare()
        utterance.finish()
        scores.append(utterance.score(["老赵的声音在成都", "老林的声音在成都"]))
    assert scores[0] == pytest.approx(scores[1])


def test_scores_of_the_whole_and_the_streaming_model_agree():
    scores = []
    for kind in ("ctc", "streaming-ctc"):
        utterance = next(opened(kind)).begin(Options(language="zh"))
        utterance.feed(sound_of(ZHAO))
        utterance.finish()
        scores.append(utterance.score(["老赵的声音在成都"])[0])
    assert scores[0] == pytest.approx(scores[1], abs=0.5)


def all_ways(log_probabilities: np.ndarray, text: tuple[int, ...]) -> float:
    """By trying each way to fill the frames."""
    frames, tokens = log_probabilities.shape
    total = -math.inf
    for way in np.ndindex(*(tokens,) * frames):
        if tuple(token for token, before in zip(way, (0, *way), strict=False) if token and token != before) == text:
            total = float(np.logaddexp(total, sum(log_probabilities[at, token] for at, token in enumerate(way))))
    return total


@pytest.mark.parametrize("seed", range(5))
def test_a_score_of_a_ctc_model_is_the_sum_over_all_alignments(seed: int):
    raw = np.random.default_rng(seed).normal(size=(5, 3))
    likely = raw - np.logaddexp.reduce(raw, axis=1, keepdims=True)
    texts = [(), (1,), (2, 1), (1, 1), (1, 2, 1), (2, 2, 2)]
    assert ctc_scores(likely.astype(np.float32), texts) == pytest.approx([all_ways(likely, t) for t in texts], abs=1e-4)


def test_a_text_too_long_for_the_sound_is_impossible():
    assert ctc_scores(np.full((2, 3), -1.1, np.float32), [(1, 1)]) == [-math.inf]


def test_without_sound_only_the_empty_text_is_possible():
    assert ctc_scores(np.zeros((0, 3), np.float32), [(), (1,)]) == [0.0, -math.inf]


def test_a_score_of_a_transducer_is_the_sum_over_all_alignments_with_one_token_a_frame():
    nothing, token = math.log(0.6), math.log(0.4)
    blank = np.full((3, 2, 2), nothing)
    write = np.full((3, 2, 2), token)
    one, none = transducer_scores(blank, write, [1, 0])
    assert one == pytest.approx(math.log(3 * 0.4 * 0.6**2))
    assert none == pytest.approx(3 * nothing)


def test_a_place_of_a_text_is_looked_for_around_the_moment_at_which_it_was_heard():
    written = Written([5, 6, 7, 8], [1.0, 2.0, 3.0, 4.0])
    assert spans_of([5, 6, 7, 8], written, 0.1, 60) == [(0, 15), (6, 25), (16, 35), (26, 45), (36, 60)]


def test_other_words_are_looked_for_between_those_that_are_the_same():
    written = Written([5, 6, 7, 8], [1.0, 2.0, 3.0, 4.0])
    assert spans_of([5, 9, 9, 8], written, 0.1, 60) == [(0, 15), (6, 45), (6, 45), (6, 45), (36, 60)]
    assert spans_of([5, 8], written, 0.1, 60) == [(0, 15), (6, 45), (36, 60)]
    assert spans_of([9], written, 0.1, 60) == [(0, 60), (0, 60)]
    assert spans_of([], written, 0.1, 60) == [(0, 60)]


def test_looking_only_around_what_was_heard_hardly_changes_the_scores(transducer: SherpaEngine):
    with transducer.model() as model:
        encoded = model.scorer.encode(sound_of(ZHAO))
        utterance = transducer.begin(Options(language="zh"))
        utterance.feed(sound_of(ZHAO))
        utterance.finish()
        texts = ["老赵的声音在成都", "老林的声音在成都", "老赵先生的声音在成都", "小林的邮件在武汉"]
        everywhere = model.score(encoded, texts, Heard())
    assert utterance.score(texts) == pytest.approx(everywhere, abs=0.3)


def test_features_are_one_frame_for_each_ten_milliseconds():
    assert features(np.zeros(SAMPLE_RATE, np.float32)).shape == (100, 80)
    assert features(np.zeros(0, np.float32)).shape == (0, 80)


# --- tokens and words ---


def test_a_text_is_spelled_in_tokens_and_back():
    tokens = Tokens({"<blk>": 0, "▁HE": 1, "LLO": 2, "▁W": 3, "OR": 4, "LD": 5, "用": 6})
    assert tokens.spell("用 hello, world") == [6, 1, 2, 3, 4, 5]
    assert tokens.spell("hello 鑫") is None
    assert tokens.written(" HELLO ▁WORLD") == "hello world"


def test_a_letter_without_a_token_is_spelled_in_bytes_where_the_model_has_them():
    tokens = Tokens({"<blk>": 0, "▁你": 1, "<0xE9>": 2, "<0x91>": 3, "<0xAB>": 4})
    assert tokens.spell("你鑫") == [1, 2, 3, 4]
    assert tokens.spell("你龘") is None


def test_tokens_are_known_by_the_way_in_which_the_library_tells_them():
    tokens = Tokens({"<blk>": 0, "▁HE": 1, "LLO": 2})
    assert [tokens.number(token) for token in (" HE", "▁HE", "LLO", "HE", " ")] == [1, 1, 2, None, None]


def test_of_two_spellings_the_one_whose_pieces_are_worth_more_is_taken():
    numbers = {"<blk>": 0, "▁ab": 1, "c": 2, "▁a": 3, "bc": 4, "▁abc": 5}
    assert Tokens(numbers).spell("abc") == [5]
    assert Tokens(numbers, {"▁ab": -5.0, "c": -5.0, "▁a": -2.0, "bc": -2.0, "▁abc": -9.0}).spell("abc") == [3, 4]


def test_words_in_latin_letters_are_joined_from_their_pieces():
    assert places(["用", "hello", "world"], ["用", "▁he", "llo", "▁world"]) == [Place(0, 1), Place(1, 3), Place(3, 4)]


def test_marks_belong_to_the_word_before_them():
    assert places(["好，", "好。"], ["好", "，", "好", "。"]) == [Place(0, 2), Place(2, 4)]


def test_a_character_that_is_written_in_bytes_is_one_word():
    assert places(["你", "鑫"], ["▁你", "<0xE9>", "<0x91>", "<0xAB>"]) == [Place(0, 1), Place(3, 4)]


def test_where_the_tokens_are_not_the_text_words_have_no_times():
    heard = Heard("你好", ("ĠƊĢ", "ĥĠ"), (0.1, 0.2), (-0.1, -0.2))
    words = words_of("你好", heard, heard.log_probabilities, np.ones(SAMPLE_RATE, np.float32))
    assert [(word.text, word.start_s, word.confidence) for word in words] == [("你", None, None), ("好", None, None)]


def test_a_word_ends_where_the_sound_falls_quiet():
    sound = np.zeros(2 * SAMPLE_RATE, np.float32)
    sound[: SAMPLE_RATE // 2] = 0.5
    sound[3 * SAMPLE_RATE // 2 :] = 0.5
    words = words_of("你好", Heard("你好", ("你", "好"), (0.2, 1.6)), (), sound)
    assert [(word.start_s, word.end_s) for word in words] == [(0.2, pytest.approx(0.5)), (1.6, pytest.approx(2.0))]


def test_a_word_is_as_sure_as_its_least_sure_piece():
    heard = Heard("hello", ("▁he", "llo"), (0.1, 0.2), (math.log(0.9), math.log(0.3)))
    (word,) = words_of("hello", heard, heard.log_probabilities, np.ones(SAMPLE_RATE, np.float32))
    assert word.confidence == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("我 们 用 python 3", "我们用python 3"),
        ("你好 ， world", "你好，world"),
        ("hello world", "hello world"),
        ("", ""),
    ],
)
def test_blanks_beside_han_characters_go(text: str, written: str):
    assert without_han_blanks(text) == written
