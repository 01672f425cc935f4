"""Makes the micro Mandarin models of this folder: `python make_zh_micro.py FOLDER [--sentences 4000] [--steps 4000]`.

espeak-ng (Debian package) speaks sentences from a small vocabulary in eighteen voices; a causal convolutional network
of 325,000 weights learns to write them (CTC). Its weights are then written as four models in the forms that sherpa-onnx
loads: CTC and transducer, each for whole sounds and for sound that comes in pieces. The transducers are not trained
but derived: their joiner turns the probabilities of CTC into those of a transducer that writes a character once.

Needs the packages jax, optax, scipy, pypinyin, onnx, onnxruntime, kaldi-native-fbank and av; some twenty minutes on
two cores. Two runs do not give the same bytes.
"""

import argparse
import json
import random
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import jax
import jax.numpy as jnp
import kaldi_native_fbank
import numpy as np
import onnx
import optax
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from pypinyin import Style, lazy_pinyin
from scipy.signal import resample_poly

RATE = 16_000
MELS = 80
STACKED = 4
"""Frames of 10 ms that the network takes as one."""
WIDTH, WIDER, KERNEL, DILATIONS = 112, 224, 5, (1, 2, 1, 2, 2)
KEPT = 8
"""Frames that each block keeps from one piece of sound to the next."""
PIECE = 32
"""Frames of 10 ms in a piece."""
FLOOR = -11.0
"""Softer than this is silence."""
LONGEST = {"frames": 560, "characters": 28}
BATCH = 16
VARIANTS = ("f1", "f2", "f4", "f5", "m1", "m2", "m4", "m5", "m6", "m7", "m8", "Annie", "john", "linda", "steph", "max")
VOICES = ("", "+pablo", *(f"+{name}" for name in VARIANTS))
NAME = "章"
"""Sounds like 张, which is commoner: only a phrase that was asked for brings it out."""

# --- sentences ---

SURNAMES = "张张张章李王刘陈赵周林黄"
DIGITS = "零一二三四五六七八九"
WORDS = {
    "title": "先生 女士 老师 经理 医生 同学",
    "place": "北京 上海 广州 深圳 杭州 南京 成都 西安 天津 武汉 香港 中国 学校 公司 医院 家里 车站 机场 饭店 办公室",
    "day": "今天 明天 昨天 后天 星期一 星期二 星期三 星期四 星期五 星期六 星期天 下个月 上个月 今年 明年",
    "part": "早上 上午 中午 下午 晚上",
    "verb": "开会 吃饭 工作 学习中文 看书 打电话 发邮件 写报告 买东西 喝咖啡 喝茶 看电影 听音乐 上课 回家 休息 跑步 "
    "坐飞机 坐火车 看医生 写文章 做作业",
    "quality": "好 大 小 高 快 慢 热 冷 忙 累 贵 便宜 漂亮 重要 有意思 容易 难 新 旧",
    "thing": "天气 会议 文件 报告 邮件 电话 手机 电脑 问题 时间 名字 这本书 那个人 孩子 朋友 衣服 飞机 火车 汽车 水果 "
    "苹果 钱 车 房子 系统 软件 文章 声音 中文 英文",
    "person": "我 你 他 我们 你们 他们 大家 我妈妈 我爸爸 我朋友 老师",
    "command": "换行 撤销 重做 删除上一句 删除这个词 全部选中 复制 粘贴 保存文件 停止听写 开始听写 新段落 空格 回车 "
    "取消 确定 打开窗口 关闭窗口 发送 下一行 上一行 切换到英文 切换到中文",
    "mark": "逗号 句号 问号 感叹号 冒号 分号 顿号 左括号 右括号 引号",
    "greeting": "你好 谢谢 对不起 没关系 再见",
    "much": "很 非常 不 太 真",
    "will": "要 想 会 不想 可以",
    "give": "发给 送给 交给",
    "asks": "为什么 什么时候 怎么 谁",
    "counted": "块 个 元",
    "thinks": "喜欢 知道 觉得 认为 听说",
}
SHAPES = (
    "{who}{day}{part}去{place}{verb}",
    "{who}{day}{part}在{place}{verb}",
    "{day}{part}{clock}{verb}",
    "{day}{part}{clock}{who}{will}{verb}",
    "{thing}{much}{quality}",
    "这个{thing}{much}{quality}了",
    "把{any}改成{any}",
    "请把{thing}{give}{name}",
    "{command}",
    "{command}{command}",
    "电话号码是{number}",
    "{name}的{thing}在{place}",
    "{name}的{thing}不在{place}",
    "{thing}一共{number}{counted}",
    "{greeting}{name}",
    "{greeting}",
    "{who}{thinks}{thing}很{quality}",
    "{who}和{who}一起{verb}",
    "{asks}去{place}{verb}",
    "{asks}{verb}",
    "{any}{any}",
)
MOST_CHARACTERS = 26


class Speaker:
    """Sentences by chance, always the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def sentence(self) -> str:
        text = self._filled(self._chance.choice(SHAPES))
        if self._chance.random() < 0.3:
            text += self._word("mark")
        return text[:MOST_CHARACTERS]

    def _filled(self, shape: str) -> str:
        made: dict[str, Callable[[], str]] = {
            "who": lambda: self._chance.choice((self._word("person"), self._word("person"), self._name())),
            "name": self._name,
            "number": self._number,
            "clock": lambda: f"{self._digit()}点{self._chance.choice(('', '半', '十分', '二十分'))}",
            "any": lambda: self._chance.choice(
                (self._name(), self._number(), self._chance.choice(SURNAMES), self._word("thing"), self._word("place"))
            ),
        }
        while "{" in shape:
            before, _, rest = shape.partition("{")
            slot, _, after = rest.partition("}")
            shape = before + made.get(slot, partial(self._word, slot))() + after
        return shape

    def _word(self, kind: str) -> str:
        return self._chance.choice(WORDS[kind].split())

    def _digit(self) -> str:
        return self._chance.choice(DIGITS[1:])

    def _name(self) -> str:
        surname = self._chance.choice(SURNAMES)
        return self._chance.choice((surname + self._word("title"), f"小{surname}", f"老{surname}"))

    def _number(self) -> str:
        if self._chance.random() < 0.5:
            return "".join(self._chance.choice(DIGITS) for _ in range(self._chance.randint(2, 7)))
        return f"{self._digit()}十{self._digit()}"


def sounds_of(text: str) -> list[str]:
    """Pinyin with tones: espeak-ng reads no Han characters."""
    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)


# --- speech ---


@dataclass(frozen=True)
class Spoken:
    text: str
    sound: np.ndarray
    """float32, 16 kHz."""


def speak(text: str, seed: int, clean: bool = False) -> Spoken:
    """In a voice, at a speed and with noise that `seed` chooses."""
    chance = random.Random(seed)
    voice, speed, pitch = chance.choice(VOICES), chance.randint(130, 230), chance.randint(25, 75)
    command = ["espeak-ng", "-v", f"cmn-latn-pinyin{voice}", "-s", str(speed), "-p", str(pitch), "--stdout"]
    wav = subprocess.run([*command, " ".join(sounds_of(text))], capture_output=True, check=True).stdout
    sound = resample_poly(np.frombuffer(wav[44:], "<i2").astype(np.float32) / 32768, 320, 441)
    return Spoken(text, in_a_room(sound.astype(np.float32), seed, clean))


def in_a_room(sound: np.ndarray, seed: int, clean: bool) -> np.ndarray:
    """With silence around it, at some loudness, in noise of some colour."""
    chance = np.random.default_rng(seed)
    silence = [np.zeros(int(chance.uniform(*span) * RATE), np.float32) for span in ((0.05, 0.5), (0.3, 0.7))]
    sound = np.concatenate([silence[0], sound, silence[1]])
    sound = sound / (np.abs(sound).max() + 1e-6) * 10 ** (chance.uniform(-20, -1) / 20)
    ratio_db = 45 if clean else chance.choice((chance.uniform(8, 30), chance.uniform(35, 60)))
    spectrum = np.fft.rfft(chance.standard_normal(len(sound)))
    noise = np.fft.irfft(spectrum * np.arange(1, len(spectrum) + 1) ** -chance.choice((0, 0.5, 1)), len(sound))
    power = np.sqrt(np.square(sound).mean()) * 10 ** (-ratio_db / 20)
    return np.clip(sound + noise / noise.std() * power, -1, 1).astype(np.float32)


def features(sound: np.ndarray) -> np.ndarray:
    """[frames, 80], as sherpa-onnx makes them."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = MELS
    options.mel_opts.high_freq = -400
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(RATE, sound)
    bank.input_finished()
    return np.stack([bank.get_frame(number) for number in range(bank.num_frames_ready)])


def example(text: str, seed: int) -> tuple[str, np.ndarray]:
    return text, np.maximum(features(speak(text, seed).sound), FLOOR).astype(np.float16)


# --- the network and how it learns ---


@dataclass(frozen=True)
class Scale:
    """What brings features around zero."""

    mean: np.ndarray
    deviation: np.ndarray


def new_weights(characters: int) -> dict[str, Any]:
    keys = iter(jax.random.split(jax.random.PRNGKey(0), 64))

    def matrix(inputs: int, outputs: int, gain: float) -> Any:
        return jax.random.normal(next(keys), (inputs, outputs)) * gain * (2 / inputs) ** 0.5

    def block() -> dict[str, Any]:
        return {
            "gain": jnp.ones(WIDTH),
            "offset": jnp.zeros(WIDTH),
            "along": jax.random.normal(next(keys), (KERNEL, WIDTH)) * 0.3,
            "along_offset": jnp.zeros(WIDTH),
            "up": matrix(WIDTH, WIDER, 1),
            "up_offset": jnp.zeros(WIDER),
            "down": matrix(WIDER, WIDTH, 0.5),
            "down_offset": jnp.zeros(WIDTH),
        }

    return {
        "in": matrix(STACKED * MELS, WIDTH, 0.7),
        "in_offset": jnp.zeros(WIDTH),
        "blocks": [block() for _ in DILATIONS],
        "gain": jnp.ones(WIDTH),
        "offset": jnp.zeros(WIDTH),
        "out": matrix(WIDTH, characters + 1, 0.5),
        "out_offset": jnp.zeros(characters + 1),
    }


def times(x: Any, matrix: Any) -> Any:
    """Flat matrices: their gradients are quicker."""
    return (x.reshape(-1, x.shape[-1]) @ matrix).reshape(*x.shape[:-1], matrix.shape[1])


def normed(x: Any, gain: Any, offset: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5) * gain + offset


def logits(weights: Any, x: Any, key: Any = None) -> Any:
    """[batch, frames, 80] around zero to [batch, frames / 4, tokens]; `key`: some of it is hidden while it learns."""
    batch, frames, _ = x.shape
    x = x if key is None else hidden_in_part(x, key)
    h = times(x.reshape(batch, frames // STACKED, STACKED * MELS), weights["in"]) + weights["in_offset"]
    for number, (block, dilation) in enumerate(zip(weights["blocks"], DILATIONS, strict=True)):
        z = normed(h, block["gain"], block["offset"])
        z = jnp.pad(z, ((0, 0), ((KERNEL - 1) * dilation, 0), (0, 0)))
        z = sum(z[:, tap * dilation : tap * dilation + h.shape[1]] * block["along"][tap] for tap in range(KERNEL))
        z = jax.nn.relu(times(z + block["along_offset"], block["up"]) + block["up_offset"])
        if key is not None:
            kept = jax.random.bernoulli(jax.random.fold_in(key, number), 0.9, (batch, 1, WIDER))
            z = z * kept / 0.9
        h = h + times(z, block["down"]) + block["down_offset"]
    return times(normed(h, weights["gain"], weights["offset"]), weights["out"]) + weights["out_offset"]


def hidden_in_part(x: Any, key: Any) -> Any:
    """Two stripes of pitch and two of time are blanked out."""
    batch, frames, _ = x.shape
    keys = jax.random.split(key, 3)
    low = jax.random.randint(keys[0], (batch, 2, 1), 0, MELS)
    high = low + jax.random.randint(keys[1], (batch, 2, 1), 0, 12)
    begin = jax.random.randint(keys[2], (batch, 2, 1), 0, frames)
    pitch, moment = jnp.arange(MELS), jnp.arange(frames)
    mels = ((pitch >= low) & (pitch < high)).any(1)
    moments = ((moment >= begin) & (moment < begin + 8)).any(1)
    return jnp.where(mels[:, None] | moments[..., None], 0.0, x)


@dataclass(frozen=True)
class Batch:
    x: np.ndarray
    before_speech: np.ndarray
    """[batch, frames / 4]: 1 where speech has not begun."""
    padding: np.ndarray
    labels: np.ndarray
    label_padding: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.x, self.before_speech, self.padding, self.labels, self.label_padding


def loss(weights: Any, key: Any, x: Any, before_speech: Any, padding: Any, labels: Any, label_padding: Any) -> Any:
    found = logits(weights, x, key)
    lengths = jnp.maximum((1 - label_padding).sum(1), 1)
    written = (optax.ctc_loss(found, padding, labels, label_padding) / lengths).mean()
    # Otherwise it settles on writing the commonest first character at the first frame.
    too_early = -(jax.nn.log_softmax(found)[..., 0] * before_speech).sum(1).mean()
    return written + 0.3 * too_early


def batch_of(examples: Sequence[tuple[str, np.ndarray]], scale: Scale, numbers: dict[str, int]) -> Batch:
    frames = max(len(each[1]) for each in examples)
    frames = next(size for size in (280, 400, LONGEST["frames"]) if size >= frames)  # few shapes: few compilations
    x = np.full((BATCH, frames, MELS), FLOOR, np.float32)
    labels = np.zeros((BATCH, LONGEST["characters"]), np.int32)
    padding = np.ones((BATCH, frames // STACKED), np.float32)
    for row, (text, found) in enumerate(examples):
        x[row, : len(found)] = found
        padding[row, : -(-len(found) // STACKED)] = 0
        labels[row, : len(text)] = [numbers[character] for character in text]
    level = x.mean(2)
    middle = (level.min(1) + level.max(1)) / 2
    before = np.cumsum(level > middle[:, None], axis=1) == 0
    scaled = (x - scale.mean) / scale.deviation
    return Batch(scaled, before[:, ::STACKED].astype(np.float32), padding, labels, (labels == 0).astype(np.float32))


def batches(examples: Sequence[tuple[str, np.ndarray]], scale: Scale, numbers: dict[str, int]) -> Iterator[Batch]:
    """For ever, sounds of like length together."""
    chance = random.Random(0)
    fit = [each for each in examples if len(each[1]) <= LONGEST["frames"]]
    while True:
        chance.shuffle(fit)
        by_length = sorted(fit, key=lambda each: -(-len(each[1]) // 120))
        groups = [by_length[at : at + BATCH] for at in range(0, len(by_length) - BATCH + 1, BATCH)]
        chance.shuffle(groups)
        yield from (batch_of(group, scale, numbers) for group in groups)


def learnt(weights: Any, found: Iterator[Batch], steps: int) -> Any:
    schedule = optax.warmup_cosine_decay_schedule(0, 3e-3, 200, max(steps, 201), 6e-5)
    optimizer = optax.chain(optax.clip_by_global_norm(5.0), optax.adamw(schedule, weight_decay=1e-4))
    state = optimizer.init(weights)

    @jax.jit
    def step(weights: Any, state: Any, key: Any, *arrays: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(weights, key, *arrays)
        updates, state = optimizer.update(gradient, state, weights)
        return optax.apply_updates(weights, updates), state, value

    key = jax.random.PRNGKey(1)
    for number in range(1, steps + 1):
        key, now = jax.random.split(key)
        weights, state, value = step(weights, state, now, *next(found).arrays)
        if number % 100 == 0:
            print(f"step {number}: loss {float(value):.3f}", flush=True)
    return jax.tree.map(np.asarray, weights)


# --- the same network as ONNX graphs ---


@dataclass(frozen=True)
class Micro:
    """What was learnt."""

    weights: Any
    scale: Scale
    characters: str

    @property
    def tokens(self) -> int:
        return len(self.characters) + 1


class Graph:
    """Collects the steps of one file."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._values: list[Any] = []
        self._count = 0

    def value(self, array: Any) -> str:
        name = self._name("value")
        self._values.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def whole(self, *numbers: int) -> str:
        return self.value(np.array(numbers, np.int64))

    def op(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        out = out or self._name(kind)
        self._nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def part(self, x: str, axis: int, begin: int, end: int = 2**31) -> str:
        return self.op("Slice", x, self.whole(begin), self.whole(end), self.whole(axis))

    def save(self, path: Path, inputs: Sequence[tuple], outputs: Sequence[tuple], says: dict[str, Any]) -> None:
        """`inputs`, `outputs`: (name, type, shape); with eight-bit weights in its matrices."""
        infos = [[helper.make_tensor_value_info(*each) for each in each_side] for each_side in (inputs, outputs)]
        model = helper.make_model(
            helper.make_graph(self._nodes, path.stem, *infos, self._values), opset_imports=[helper.make_opsetid("", 17)]
        )
        model.ir_version = 9
        helper.set_model_props(model, {name: str(value) for name, value in says.items()})
        onnx.checker.check_model(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = path.with_suffix(".plain")
        onnx.save(model, plain)
        quantize_dynamic(plain, path, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
        plain.unlink()

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"


def add_network(graph: Graph, micro: Micro, x: str, kept: Sequence[str] | None) -> tuple[str, list[str]]:
    """The logits; `kept`: for each block the frames of the piece before, and then also those for the piece after."""
    weights = micro.weights
    x = graph.op("Max", x, graph.value(np.float32(FLOOR)))
    x = graph.op("Sub", x, graph.value(micro.scale.mean.astype(np.float32)))
    x = graph.op("Div", x, graph.value(micro.scale.deviation.astype(np.float32)))
    h = graph.op("Reshape", x, graph.whole(0, -1, STACKED * MELS))
    h = linear(graph, h, weights["in"], weights["in_offset"])
    new: list[str] = []
    for number, block in enumerate(weights["blocks"]):
        z = norm(graph, h, block["gain"], block["offset"])
        z = graph.op("Transpose", z, perm=[0, 2, 1])
        z = along(graph, z, block, DILATIONS[number], kept[number] if kept else None, new)
        z = graph.op("Transpose", z, perm=[0, 2, 1])
        z = graph.op("Relu", linear(graph, z, block["up"], block["up_offset"]))
        h = graph.op("Add", h, linear(graph, z, block["down"], block["down_offset"]))
    h = norm(graph, h, weights["gain"], weights["offset"])
    return linear(graph, h, weights["out"], weights["out_offset"]), new


def linear(graph: Graph, x: str, matrix: Any, offset: Any) -> str:
    return graph.op("Add", graph.op("MatMul", x, graph.value(matrix)), graph.value(offset))


def norm(graph: Graph, x: str, gain: Any, offset: Any) -> str:
    return graph.op("LayerNormalization", x, graph.value(gain), graph.value(offset), axis=-1, epsilon=1e-5)


def along(graph: Graph, z: str, block: Any, dilation: int, kept: str | None, new: list[str]) -> str:
    """The convolution along time, [batch, width, time]."""
    weights = graph.value(np.ascontiguousarray(block["along"].T[:, None, :]))
    offset = graph.value(block["along_offset"])
    reach = (KERNEL - 1) * dilation
    how: dict[str, Any] = {"group": WIDTH, "dilations": [dilation]}
    if kept is None:
        return graph.op("Conv", z, weights, offset, pads=[reach, 0], **how)
    z = graph.op("Concat", kept, z, axis=2)
    new.append(graph.part(z, 2, -KEPT))
    return graph.op("Conv", graph.part(z, 2, KEPT - reach), weights, offset, **how)


def add_whole_frames(graph: Graph) -> str:
    """The input `x`, made longer with silence to a multiple of STACKED frames."""
    missing = graph.op("Mod", graph.op("Neg", graph.part(graph.op("Shape", "x"), 0, 1, 2)), graph.whole(STACKED))
    pads = graph.op("Concat", graph.whole(0, 0, 0, 0), missing, graph.whole(0), axis=0)
    return graph.op("Pad", "x", pads, graph.value(np.float32(FLOOR)))


def add_length(graph: Graph, name: str) -> None:
    whole = graph.op("Add", "x_lens", graph.whole(STACKED - 1))
    graph.op("Div", whole, graph.whole(STACKED), out=name)


FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
SOUND, PIECES = ("x", FLOAT, ["N", "T", MELS]), ("x", FLOAT, ["N", PIECE, MELS])
LENGTHS = ("x_lens", INT, ["N"])


def save_ctc(micro: Micro, path: Path) -> None:
    graph = Graph()
    found, _ = add_network(graph, micro, add_whole_frames(graph), None)
    graph.op("LogSoftmax", found, out="log_probs", axis=-1)
    add_length(graph, "log_probs_len")
    outputs = [("log_probs", FLOAT, ["N", "S", micro.tokens]), ("log_probs_len", INT, ["N"])]
    says = {"model_type": "zipformer2_ctc", "vocab_size": micro.tokens, "subsampling_factor": STACKED}
    graph.save(path, [SOUND, LENGTHS], outputs, says)


def save_streaming_ctc(micro: Micro, path: Path) -> None:
    """With all the states of a zipformer2: ours are in `cached_conv1`, the others are handed on as they come."""
    graph = Graph()
    states = zipformer_states()
    kept = [f"cached_conv1_{number}" for number in range(len(DILATIONS))]
    found, new = add_network(graph, micro, "x", kept)
    graph.op("LogSoftmax", found, out="log_probs", axis=-1)
    fresh = dict(zip(kept, new, strict=True))
    for name, _, _ in states:
        graph.op("Identity", fresh.get(name, name), out=f"new_{name}")
    outputs = [("log_probs", FLOAT, ["N", PIECE // STACKED, micro.tokens])]
    says = {"model_type": "zipformer2_ctc", "T": PIECE, "decode_chunk_len": PIECE, "encoder_dims": WIDTH}
    says |= dict.fromkeys(("query_head_dims", "value_head_dims", "num_heads", "left_context_len"), 1)
    says |= {"num_encoder_layers": len(DILATIONS), "cnn_module_kernels": 2 * KEPT}
    graph.save(path, [PIECES, *states], [*outputs, *((f"new_{name}", *rest) for name, *rest in states)], says)


def zipformer_states() -> list[tuple[str, int, list[Any]]]:
    shapes: dict[str, list[Any]] = {
        "cached_key": [1, "N", 1],
        "cached_nonlin_attn": [1, "N", 1, 3 * WIDTH // 4],
        "cached_val1": [1, "N", 1],
        "cached_val2": [1, "N", 1],
        "cached_conv1": ["N", WIDTH, KEPT],
        "cached_conv2": ["N", WIDTH, KEPT],
    }
    layers = [(f"{name}_{n}", FLOAT, shape) for n in range(len(DILATIONS)) for name, shape in shapes.items()]
    return [*layers, ("embed_states", FLOAT, ["N", 128, 3, 19]), ("processed_lens", INT, ["N"])]


def save_encoder(micro: Micro, path: Path) -> None:
    """What the joiner takes: probabilities of CTC, and that of the blank in the frame before."""
    graph = Graph()
    found, _ = add_network(graph, micro, add_whole_frames(graph), None)
    likely = graph.op("Softmax", found, axis=-1)
    blank = graph.part(likely, 2, 0, 1)
    nothing = graph.op("Sub", *(graph.part(blank, 1, 0, 1),) * 2)
    before = graph.part(graph.op("Concat", nothing, blank, axis=1), 1, 0, -1)
    graph.op("Concat", likely, before, out="encoder_out", axis=2)
    add_length(graph, "encoder_out_lens")
    outputs = [("encoder_out", FLOAT, ["N", "S", micro.tokens + 1]), ("encoder_out_lens", INT, ["N"])]
    graph.save(path, [SOUND, LENGTHS], outputs, {"model_type": "zipformer2"})


def save_streaming_encoder(micro: Micro, path: Path) -> None:
    """With the two states of an LSTM: h keeps the blank of the frame before, c the frames of each block."""
    graph, blocks, size = Graph(), len(DILATIONS), WIDTH * KEPT
    kept = [
        graph.op("Reshape", graph.op("Gather", "c", graph.value(np.int64(n)), axis=0), graph.whole(-1, WIDTH, KEPT))
        for n in range(blocks)
    ]
    found, new = add_network(graph, micro, "x", kept)
    likely = graph.op("Softmax", found, axis=-1)
    blank = graph.part(likely, 2, 0, 1)
    earlier = graph.op("Transpose", graph.part("h", 0, 0, 1), perm=[1, 0, 2])
    before = graph.part(graph.op("Concat", earlier, blank, axis=1), 1, 0, -1)
    graph.op("Concat", likely, before, out="encoder_out", axis=2)
    last = graph.op("Transpose", graph.part(blank, 1, -1), perm=[1, 0, 2])
    graph.op("Concat", *(last,) * blocks, out="new_h", axis=0)
    flat = [graph.op("Reshape", each, graph.whole(1, -1, size)) for each in new]
    graph.op("Concat", *flat, out="new_c", axis=0)
    h, c = (FLOAT, [blocks, "N", 1]), (FLOAT, [blocks, "N", size])
    outputs = [("encoder_out", FLOAT, ["N", PIECE // STACKED, micro.tokens + 1]), ("new_h", *h), ("new_c", *c)]
    says = {"model_type": "lstm", "num_encoder_layers": blocks, "T": PIECE, "decode_chunk_len": PIECE}
    says |= {"rnn_hidden_size": size, "d_model": 1}
    graph.save(path, [PIECES, ("h", *h), ("c", *c)], outputs, says)


def save_decoder(micro: Micro, path: Path, sentences: Sequence[str]) -> None:
    """Two rows for the last character: which characters sound like it, and which follow it oftener than by chance."""
    graph = Graph()
    last = graph.op("Squeeze", graph.part("y", 1, -1), graph.whole(1))
    last = graph.op("Max", last, graph.value(np.int64(0)))
    alike = graph.op("Gather", graph.value(sounding_alike(micro.characters).astype(np.uint8)), last, axis=0)
    follows = graph.op("Gather", graph.value(following(micro, sentences).astype(np.float16)), last, axis=0)
    both = [graph.op("Cast", each, to=FLOAT) for each in (alike, follows)]
    graph.op("Concat", *both, out="decoder_out", axis=1)
    says = {"vocab_size": micro.tokens, "context_size": 2}
    graph.save(path, [("y", INT, ["N", 2])], [("decoder_out", FLOAT, ["N", 2 * micro.tokens])], says)


def sounding_alike(characters: str) -> np.ndarray:
    """A character that sounds like the last one is the last one going on, and not a new one."""
    sounds = ["", *sounds_of(characters)]
    alike = np.array([[ours == theirs for theirs in sounds] for ours in sounds]) | np.eye(len(sounds), dtype=bool)
    alike[0] = False
    return alike


def following(micro: Micro, sentences: Sequence[str]) -> np.ndarray:
    """[tokens, tokens]: a quarter of the nats by which two characters come together oftener than by chance."""
    number = {character: n for n, character in enumerate(micro.characters, 1)}
    counts = np.full((micro.tokens, micro.tokens), 0.02)
    for sentence in sentences:
        numbers = [0, *(number[character] for character in sentence)]
        np.add.at(counts, (numbers[:-1], numbers[1:]), 1)
    joint = counts / counts.sum()
    nats = np.log(joint / (joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True))).clip(-3, 3) / 4
    nats[:, 0] = 0
    nats[0] /= 2
    return nats


def save_joiner(micro: Micro, path: Path) -> None:
    """Of a character that goes on only that counts which begins anew after a blank; the rest is nothing new."""
    graph, tokens = Graph(), micro.tokens
    likely, before = graph.part("encoder_out", 1, 0, tokens), graph.part("encoder_out", 1, tokens)
    alike, follows = graph.part("decoder_out", 1, 0, tokens), graph.part("decoder_out", 1, tokens)
    is_blank = np.zeros((1, tokens), np.float32)
    is_blank[0, 0] = 1
    goes_on = graph.op("Mul", graph.op("Mul", alike, graph.value(1 - is_blank)), likely)
    goes_on = graph.op("Mul", goes_on, graph.op("Sub", graph.value(np.float32(1)), before))
    nothing_new = graph.op("ReduceSum", goes_on, graph.whole(1), keepdims=1)
    moved = graph.op("Mul", nothing_new, graph.value(is_blank))
    likely = graph.op("Add", graph.op("Sub", likely, goes_on), moved)
    nats = graph.op("Log", graph.op("Max", likely, graph.value(np.float32(1e-10))))
    graph.op("Add", nats, follows, out="logit")
    inputs = [("encoder_out", FLOAT, ["N", tokens + 1]), ("decoder_out", FLOAT, ["N", 2 * tokens])]
    graph.save(path, inputs, [("logit", FLOAT, ["N", tokens])], {"joiner_dim": tokens + 1})


def save_models(micro: Micro, folder: Path, sentences: Sequence[str]) -> None:
    save_ctc(micro, folder / "ctc" / "model.int8.onnx")
    save_streaming_ctc(micro, folder / "streaming-ctc" / "model.int8.onnx")
    save_encoder(micro, folder / "transducer" / "encoder.int8.onnx")
    save_streaming_encoder(micro, folder / "streaming-transducer" / "encoder.int8.onnx")
    for kind in ("transducer", "streaming-transducer"):
        save_decoder(micro, folder / kind / "decoder.int8.onnx", sentences)
        save_joiner(micro, folder / kind / "joiner.int8.onnx")
    table = "".join(f"{text} {number}\n" for number, text in enumerate(["<blk>", *micro.characters]))
    for kind in ("ctc", "streaming-ctc", "transducer", "streaming-transducer"):
        (folder / kind / "tokens.txt").write_text(table, "utf-8")


# --- clips ---


def save_clips(folder: Path, texts: Sequence[tuple[str, str]]) -> None:
    """`texts`: (condition, text). As Opus, a fifth of the size of FLAC."""
    (folder / "clips").mkdir(exist_ok=True)
    with (folder / "manifest.jsonl").open("w", encoding="utf-8") as manifest:
        for number, (condition, text) in enumerate(texts):
            path = f"clips/{'name' if NAME in text else 'trained'}-{number:02}.ogg"
            save_opus(folder / path, speak(text, 10**6 + number, clean=True).sound)
            row = {"path": path, "text": text, "lang": "zh", "condition": condition}
            manifest.write(json.dumps(row, ensure_ascii=False) + "\n")


def unseen(known: set[str]) -> list[tuple[str, str]]:
    """(condition, text) of sentences that were not learnt from: without the rarer name, and with it."""
    others = Speaker(1)
    texts = [text for text in (others.sentence() for _ in range(400)) if text not in known and len(text) > 4]
    plain = [text for text in texts if NAME not in text]
    named = [text for text in texts if NAME in text.replace("文章", "")]
    return [("seen_voice", text) for text in plain[:40]] + [("hotword 章", text) for text in named[:12]]


def save_opus(path: Path, sound: np.ndarray) -> None:
    frame = av.AudioFrame.from_ndarray((sound[None] * 32767).astype(np.int16), "s16", "mono")
    frame.sample_rate = RATE
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 20_000
        resampler = av.AudioResampler("flt", "mono", 48_000)
        for each in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(each))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sentences", type=int, default=4000)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    speaker = Speaker(0)
    sentences = [speaker.sentence() for _ in range(arguments.sentences)]
    characters = "".join(sorted({character for sentence in sentences for character in sentence}))
    with ProcessPoolExecutor(arguments.processes) as processes:
        found = list(processes.map(example, sentences, range(len(sentences)), chunksize=50))
    some = np.concatenate([each[1][::5] for each in found[:800]]).astype(np.float32)
    scale = Scale(some.mean(0), some.std(0) + 1e-3)
    numbers = {character: number for number, character in enumerate(characters, 1)}
    weights = learnt(new_weights(len(characters)), batches(found, scale, numbers), arguments.steps)
    save_models(Micro(weights, scale, characters), arguments.folder, sentences)
    save_clips(arguments.folder, unseen(set(sentences)))


if __name__ == "__main__":
    main()
