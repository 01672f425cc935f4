"""Sounds that are no speech, made by rule."""

from collections.abc import Callable

import numpy as np

from voice_ime.engine.base import SAMPLE_RATE, Samples

Noise = Callable[[np.ndarray], np.ndarray]
"""The sound at each of these moments, in seconds."""


def sounding(noise: Noise, seconds: float) -> Samples:
    return noise(np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)


def hum(at: np.ndarray) -> np.ndarray:
    return np.asarray(0.1 * np.sin(2 * np.pi * 50 * at) + 0.05 * np.sin(2 * np.pi * 150 * at))


def hiss(at: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.05, len(at))


def breath(at: np.ndarray) -> np.ndarray:
    """Soft noise that swells and fades every three seconds."""
    smooth = np.convolve(np.random.default_rng(2).normal(0, 0.2, len(at)), np.ones(8) / 8, "same")
    return np.asarray(smooth * np.clip(np.sin(2 * np.pi * at / 3), 0, 1) ** 2)


def keyboard(at: np.ndarray) -> np.ndarray:
    """Clicks of a few milliseconds, about six a second."""
    chance = np.random.default_rng(3)
    sound = np.zeros(len(at))
    for begin in np.cumsum(chance.uniform(0.08, 0.25, 400)):
        place = int(begin * SAMPLE_RATE)
        click = chance.normal(0, 0.4, 160) * np.exp(-np.arange(160) / 25)
        sound[place : place + 160] += click[: max(0, len(sound) - place)]
    return sound


def music(at: np.ndarray) -> np.ndarray:
    """Chords of decaying strings, two a second."""
    roots = [220.0, 174.6, 196.0, 261.6]
    within = at % 0.5
    root = np.array(roots)[(at // 0.5).astype(int) % len(roots)]
    tones = [np.sin(2 * np.pi * root * step * at) / number for number, step in enumerate((1, 1.25, 1.5, 2), 1)]
    return np.asarray(0.15 * np.exp(-3 * within) * np.sum(tones, axis=0))


def nothing(at: np.ndarray) -> np.ndarray:
    return np.zeros(len(at))


NOISES = (nothing, hum, hiss, breath, keyboard, music)
