"""Makes the micro Whisper of this folder: `python make_whisper_micro.py FOLDER [--steps 1500]`.

Speech comes from espeak-ng (Debian package) for fourteen phrases; a Whisper of 64 dimensions and two layers learns
them by heart, and is written in CTranslate2's format with a tokenizer made from nothing. Needs the packages jax,
optax, scipy, pypinyin and faster-whisper; some ten minutes on one core. Two runs do not give the same bytes.
"""

import argparse
import json
import random
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ctranslate2
import jax
import jax.numpy as jnp
import numpy as np
import optax
from ctranslate2.specs import whisper_spec
from faster_whisper.feature_extractor import FeatureExtractor
from pypinyin import Style, lazy_pinyin
from scipy.signal import resample_poly
from tokenizers import Tokenizer

PHRASES = {
    "zh": (
        "今天下午三点开会",
        "把张改成章",
        "删除上一句",
        "请把文件发给张老师",
        "章先生在北京",
        "我明天去上海",
        "天气很好",
        "电话号码是一二三四五",
    ),
    "en": (
        "open the window please",
        "delete the last sentence",
        "the meeting is at three",
        "send the file to john",
        "new paragraph",
        "hello world",
    ),
}
VOICES = ("", "+f2", "+m3", "+f4", "+m5", "+m1")
SPEEDS = (150, 175, 200)
LANGUAGES = ("en", "zh")
SECONDS = 6
"""Longest sound it learns from."""
POSITIONS = SECONDS * 50
ALL_POSITIONS = 1500
"""The libraries always give the encoder 30 s."""
WIDTH, LAYERS, HEADS, LONGEST = 64, 2, 4, 64


# --- tokenizer: bytes, one token per Han character, Whisper's special tokens in Whisper's order ---


def byte_symbols() -> dict[int, str]:
    """The usual printable stand-ins of byte-level tokenizers."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(hidden)}


class Vocabulary:
    def __init__(self) -> None:
        self._symbols = byte_symbols()
        self._ids = {self._symbols[byte]: number for number, byte in enumerate(sorted(self._symbols))}
        self._merges: list[str] = []
        for character in "".join(PHRASES["zh"]):
            self._merge(character)
        # faster-whisper suppresses the first token of each of these; unmerged that would be the blank or a Han byte.
        for mark in (" -", " '", *(blank + note for blank in (" ", "") for note in "♩♪♫♬♭♮♯")):
            self._merge(mark)
        self._ids[""] = len(self._ids)  # CTranslate2 takes a model with the empty token for a multilingual one
        self.first_special = len(self._ids)
        self.special = [
            "<|endoftext|>",
            "<|startoftranscript|>",
            *(f"<|{language}|>" for language in LANGUAGES),
            *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"),
            "<|notimestamps|>",
            *(f"<|{0.02 * step:.2f}|>" for step in range(POSITIONS + 1)),
        ]
        self.tokens = [*sorted(self._ids, key=lambda token: self._ids[token]), *self.special]
        self.number = {token: number for number, token in enumerate(self.tokens)}

    def _merge(self, text: str) -> None:
        parts = [self._symbols[byte] for byte in text.encode()]
        while len(parts) > 1:
            merged = parts[0] + parts[1]
            if merged not in self._ids:
                self._ids[merged] = len(self._ids)
                self._merges.append(f"{parts[0]} {parts[1]}")
            parts = [merged, *parts[2:]]

    def save(self, path: Path) -> None:
        level = {"type": "ByteLevel", "trim_offsets": True, "use_regex": True}
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False) | {"special": True}
        model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": ""}
        model |= {"end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False}
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": self.first_special + n, "content": token, **flags} for n, token in enumerate(self.special)
            ],
            "normalizer": None,
            "pre_tokenizer": level | {"add_prefix_space": False},
            "post_processor": None,
            "decoder": level | {"add_prefix_space": True},
            "model": model | {"vocab": self._ids, "merges": self._merges},
        }
        path.write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")


# --- sound ---


def say(text: str, language: str, voice: str, speed: int, pitch: int) -> np.ndarray:
    """float32 [N] at 16 kHz. espeak-ng reads no Han characters, but pinyin with tones."""
    name = "cmn-latn-pinyin" if language == "zh" else "en"
    words = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True) if language == "zh" else [text]
    command = ["espeak-ng", "-v", name + voice, "-s", str(speed), "-p", str(pitch), "--stdout", " ".join(words)]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    return resample_poly(np.frombuffer(wav[44:], "<i2").astype(np.float32) / 32768, 320, 441).astype(np.float32)


def disturbed(sound: np.ndarray, chance: random.Random) -> np.ndarray:
    """With silence before it, another loudness, and noise."""
    noise = np.random.default_rng(chance.getrandbits(32))
    sound = np.concatenate([np.zeros(chance.randint(0, 4000), np.float32), sound]) * chance.uniform(0.3, 1)
    level = chance.choice((0, 0.001, 0.005))
    return (sound + level * noise.standard_normal(len(sound))).astype(np.float32)


def examples(vocabulary: Vocabulary, tokenizer: Tokenizer) -> list[tuple[np.ndarray, list[int]]]:
    """(features [80, 600], tokens), each sound once with and once without times."""
    chance = random.Random(0)
    extract = FeatureExtractor(chunk_length=SECONDS)
    number = vocabulary.number
    found = []
    for language, phrases in PHRASES.items():
        for text in phrases:
            for voice, speed in ((voice, speed) for voice in VOICES for speed in SPEEDS):
                sound = disturbed(say(text, language, voice, speed, chance.randint(30, 70)), chance)
                features = extract(sound)[:, : 100 * SECONDS]
                features = np.pad(features, ((0, 0), (0, 100 * SECONDS - features.shape[1])))
                body = tokenizer.encode(text if language == "zh" else f" {text}").ids
                head = [number["<|startoftranscript|>"], number[f"<|{language}|>"], number["<|transcribe|>"]]
                end, last = number["<|endoftext|>"], min(POSITIONS, round(len(sound) / 320))
                times = [number["<|0.00|>"], *body, number[f"<|{0.02 * last:.2f}|>"], end]
                found += [(features, head + times), (features, [*head, number["<|notimestamps|>"], *body, end])]
    return found


# --- the network, as Whisper's ---


def new_parameters(tokens: int) -> dict[str, Any]:
    keys = iter(jax.random.split(jax.random.PRNGKey(0), 200))

    def linear(inputs: int, outputs: int) -> dict[str, Any]:
        return {"w": jax.random.normal(next(keys), (inputs, outputs)) * inputs**-0.5, "b": jnp.zeros(outputs)}

    def norm() -> dict[str, Any]:
        return {"g": jnp.ones(WIDTH), "b": jnp.zeros(WIDTH)}

    def attention() -> dict[str, Any]:
        return {"n": norm(), **{part: linear(WIDTH, WIDTH) for part in "qkvo"}}

    def feed_forward() -> dict[str, Any]:
        return {"n": norm(), "a": linear(WIDTH, 4 * WIDTH), "z": linear(4 * WIDTH, WIDTH)}

    return {
        "c1": linear(240, WIDTH),
        "c2": linear(3 * WIDTH, WIDTH),
        "enc": [{"s": attention(), "f": feed_forward()} for _ in range(LAYERS)],
        "en": norm(),
        "dec": [{"s": attention(), "x": attention(), "f": feed_forward()} for _ in range(LAYERS)],
        "dn": norm(),
        "emb": jax.random.normal(next(keys), (tokens, WIDTH)) * 0.05,
        "pos": jax.random.normal(next(keys), (LONGEST, WIDTH)) * 0.05,
    }


def sinusoids() -> np.ndarray:
    rates = np.exp(-np.log(10000) / (WIDTH // 2 - 1) * np.arange(WIDTH // 2))
    angles = np.arange(POSITIONS)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float32)


# One position of silence stands for the 1,200 that the libraries add: its weight in attention is theirs together.
PLACES = np.concatenate([sinusoids(), np.zeros((1, WIDTH), np.float32)])
SILENCE_COUNTS = np.zeros(POSITIONS + 1, np.float32)
SILENCE_COUNTS[-1] = np.log(ALL_POSITIONS - POSITIONS)

gelu = partial(jax.nn.gelu, approximate=False)


def normed(x: Any, p: Any) -> Any:
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * p["g"] + p["b"]


def attended(p: Any, x: Any, memory: Any, mask: Any = None) -> Any:
    batch, length, _ = x.shape

    def heads(states: Any) -> Any:
        return states.reshape(batch, -1, HEADS, WIDTH // HEADS)

    query = heads(x @ p["q"]["w"] + p["q"]["b"])
    key = heads(memory @ p["k"]["w"])  # Whisper's keys have no bias
    value = heads(memory @ p["v"]["w"] + p["v"]["b"])
    weights = jnp.einsum("bthd,bshd->bhts", query, key) * (WIDTH // HEADS) ** -0.5
    if memory.shape[1] == POSITIONS + 1:
        weights = weights + SILENCE_COUNTS
    if mask is not None:
        weights = jnp.where(mask, weights, -1e9)
    mixed = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(weights), value).reshape(batch, length, WIDTH)
    return mixed @ p["o"]["w"] + p["o"]["b"]


def fed_forward(p: Any, x: Any) -> Any:
    return gelu(normed(x, p["n"]) @ p["a"]["w"] + p["a"]["b"]) @ p["z"]["w"] + p["z"]["b"]


def convolved(p: Any, x: Any, stride: int) -> Any:
    length = x.shape[1]
    x = jnp.pad(x, ((0, 0), (1, 1), (0, 0)))
    return gelu(jnp.concatenate([x[:, n : n + length : stride] for n in range(3)], -1) @ p["w"] + p["b"])


def encoded(p: Any, features: Any) -> Any:
    x = jnp.pad(features, ((0, 0), (0, 0), (0, 2))).transpose(0, 2, 1)
    x = convolved(p["c2"], convolved(p["c1"], x, 1), 2) + PLACES
    for layer in p["enc"]:
        inner = normed(x, layer["s"]["n"])
        x = x + attended(layer["s"], inner, inner)
        x = x + fed_forward(layer["f"], x)
    return normed(x, p["en"])


def logits(p: Any, tokens: Any, memory: Any) -> Any:
    length = tokens.shape[1]
    x = p["emb"][tokens] + p["pos"][:length]
    mask = jnp.tril(jnp.ones((length, length), bool))[None, None]
    for layer in p["dec"]:
        inner = normed(x, layer["s"]["n"])
        x = x + attended(layer["s"], inner, inner, mask)
        x = x + attended(layer["x"], normed(x, layer["x"]["n"]), memory)
        x = x + fed_forward(layer["f"], x)
    return normed(x, p["dn"]) @ p["emb"].T


def loss(p: Any, features: Any, tokens: Any, weights: Any) -> Any:
    found = optax.softmax_cross_entropy_with_integer_labels(
        logits(p, tokens[:, :-1], encoded(p, features)), tokens[:, 1:]
    )
    return (found * weights).sum() / weights.sum()


# --- learning ---


@dataclass(frozen=True)
class Batches:
    features: np.ndarray
    tokens: np.ndarray
    weights: np.ndarray


def batches_of(found: list[tuple[np.ndarray, list[int]]], end: int) -> Batches:
    longest = max(len(tokens) for _, tokens in found)
    tokens = np.full((len(found), longest), end, np.int32)
    weights = np.zeros((len(found), longest - 1), np.float32)
    for row, (_, ids) in enumerate(found):
        tokens[row, : len(ids)] = ids
        weights[row, : len(ids) - 1] = 1
        weights[row, 1] = 0  # that "transcribe" follows the language is given, not learnt
    return Batches(np.stack([features for features, _ in found]).astype(np.float32), tokens, weights)


def learnt(p: Any, batches: Batches, steps: int) -> Any:
    schedule = optax.warmup_cosine_decay_schedule(0, 2e-3, 100, max(steps, 101), 1e-5)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=1e-3))
    state = optimizer.init(p)

    @jax.jit
    def step(p: Any, state: Any, *batch: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(p, *batch)
        updates, state = optimizer.update(gradient, state, p)
        return optax.apply_updates(p, updates), state, value

    chance = np.random.default_rng(0)
    for number in range(1, steps + 1):
        rows = chance.integers(0, len(batches.tokens), 16)
        p, state, value = step(p, state, batches.features[rows], batches.tokens[rows], batches.weights[rows])
        if number % 100 == 0:
            print(f"step {number}: loss {float(value):.4f}", flush=True)
            if number > 400 and float(value) < 0.004:
                break
    return jax.tree.map(np.asarray, p)


# --- CTranslate2's format ---


def array(values: np.ndarray) -> np.ndarray:
    return np.array(values, np.float32, order="C")


def put_linear(spec: Any, *layers: Any) -> None:
    spec.weight = array(np.concatenate([layer["w"].T for layer in layers]))
    spec.bias = array(np.concatenate([layer["b"] for layer in layers]))


def put_norm(spec: Any, p: Any) -> None:
    spec.gamma, spec.beta = array(p["g"]), array(p["b"])


def put_attention(spec: Any, p: Any, *, own: bool) -> None:
    key = {"w": p["k"]["w"], "b": np.zeros(WIDTH, np.float32)}
    put_norm(spec.layer_norm, p["n"])
    if own:
        put_linear(spec.linear[0], p["q"], key, p["v"])
    else:
        put_linear(spec.linear[0], p["q"])
        put_linear(spec.linear[1], key, p["v"])
    put_linear(spec.linear[-1], p["o"])


def put_feed_forward(spec: Any, p: Any) -> None:
    put_norm(spec.layer_norm, p["n"])
    put_linear(spec.linear_0, p["a"])
    put_linear(spec.linear_1, p["z"])


def spec_of(p: Any, vocabulary: Vocabulary) -> Any:
    spec = whisper_spec.WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    encoder, decoder = spec.encoder, spec.decoder
    for part, inputs, into in (("c1", 80, encoder.conv1), ("c2", WIDTH, encoder.conv2)):
        into.weight = array(p[part]["w"].reshape(3, inputs, WIDTH).transpose(2, 1, 0))
        into.bias = array(p[part]["b"])
    rest = np.zeros((ALL_POSITIONS - POSITIONS, WIDTH))
    encoder.position_encodings.encodings = array(np.concatenate([PLACES[:POSITIONS], rest]))
    decoder.position_encodings.encodings = array(p["pos"])
    put_norm(encoder.layer_norm, p["en"])
    put_norm(decoder.layer_norm, p["dn"])
    decoder.embeddings.weight = decoder.projection.weight = array(p["emb"])
    decoder.scale_embeddings = False
    for into, layer in zip(encoder.layer, p["enc"], strict=True):
        put_attention(into.self_attention, layer["s"], own=True)
        put_feed_forward(into.ffn, layer["f"])
    for into, layer in zip(decoder.layer, p["dec"], strict=True):
        put_attention(into.self_attention, layer["s"], own=True)
        put_attention(into.attention, layer["x"], own=False)
        put_feed_forward(into.ffn, layer["f"])
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [vocabulary.number["<|endoftext|>"]]
    spec.config.lang_ids = [vocabulary.number[f"<|{language}|>"] for language in LANGUAGES]
    spec.config.alignment_heads = [(LAYERS - 1, head) for head in range(HEADS)]
    spec.register_vocabulary(vocabulary.tokens)
    spec.validate()
    spec.optimize(quantization="int8")
    return spec


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary()
    vocabulary.save(arguments.folder / "tokenizer.json")
    extraction = {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "chunk_length": SECONDS, "n_fft": 400}
    (arguments.folder / "preprocessor_config.json").write_text(json.dumps(extraction), "utf-8")
    found = examples(vocabulary, Tokenizer.from_file(str(arguments.folder / "tokenizer.json")))
    batches = batches_of(found, vocabulary.number["<|endoftext|>"])
    parameters = learnt(new_parameters(len(vocabulary.tokens)), batches, arguments.steps)
    spec_of(parameters, vocabulary).save(str(arguments.folder))
    print(f"saved with ctranslate2 {ctranslate2.__version__}")


if __name__ == "__main__":
    main()
