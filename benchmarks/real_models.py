"""The models of the list on this machine: fetched, and measured on recordings: accuracy, delay, size, memory.

    .venv/bin/python -m benchmarks.real_models MANIFEST [--models ID,ID] [--config FILE] [--json FILE]

One command for somebody with internet; benchmarks/real_models.md says what the figures mean. Each model is fetched like
`voice-ime models pull` does, and is then measured in a process of its own: a model that cannot be fetched, or that
brings its process down, is a row of the table that says so.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.metrics import Pair, comparable, error_rates, percentiles
from benchmarks.recordings import Clip, clips, names
from benchmarks.start import facts
from voice_ime.commands.models import pull
from voice_ime.engine.base import SAMPLE_RATE, Engine, Options
from voice_ime.engine.engines import Engines
from voice_ime.errors import NoRecordings, VoiceImeError
from voice_ime.messages import Messages
from voice_ime.models.chooser import Chooser, chooser_of
from voice_ime.models.manifest import Model
from voice_ime.models.use import engine_settings, row_of
from voice_ime.settings import EngineSettings, Settings, load_settings

RECOMMENDED = (
    "moonshine-tiny-en",
    "x-asr-480ms",
    "x-asr-offline",
    "sense-voice-int8",
    "paraformer-streaming",
    "zipformer-small-zh-en",
    "zipformer-zh-14m",
    "zipformer-zh-large",
    "moonshine-tiny-streaming-en",
    "moonshine-small-streaming-en",
    "moonshine-medium-streaming-en",
    "zipformer-en",
    "parakeet-v2-en",
    "faster-whisper-tiny",
    "faster-whisper-base",
    "faster-whisper-small",
    "faster-whisper-large-v3-turbo",
)
"""Those that are worth a comparison in English or Mandarin. Two of the list are left to be asked for: one for the other
languages of Europe, and Whisper medium, which is as large as the last one and takes longer."""
BLOCK = SAMPLE_RATE // 10
LONGEST_S = 4 * 3600
MESSAGES = Messages("en")
COLUMNS = (
    "model",
    "megabytes",
    "load_s",
    "peak_mb",
    "en_wer",
    "zh_cer",
    "rtf",
    "final_ms_p50",
    "final_ms_p95",
    "trouble",
)
Row = dict[str, Any]


def main() -> int:
    arguments = _arguments()
    settings = load_settings(arguments.config, {})
    chooser = chooser_of(settings, os.environ)
    if arguments.measure:
        print(json.dumps(measured(chooser, chooser.manifest.get(arguments.measure), arguments)))
        return 0
    rows = [tried(chooser, model, arguments) for model in arguments.models.split(",")]
    print(table(rows))
    if arguments.json is not None:
        tree = {"bench": "real_models", "models": rows, "about": facts() | {"manifest": arguments.manifest.name}}
        arguments.json.write_text(json.dumps(tree, indent=2) + "\n", "utf-8")
    return 0 if all(row["trouble"] == "" for row in rows) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path, help="recordings: JSON lines with path, text, lang, kind and speaker")
    parser.add_argument("--models", default=",".join(RECOMMENDED), help="names of models, with commas between")
    parser.add_argument("--config", type=Path, help="settings file")
    parser.add_argument("--kind", default="read", help="kinds of recordings, with commas between")
    parser.add_argument("--limit", type=int, help="only so many recordings of each language")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


# --- one model --------------------------------------------------------------------------------------------------------


def tried(chooser: Chooser, name: str, arguments: argparse.Namespace) -> Row:
    """Fetches and measures; what goes wrong is in `trouble`."""
    empty: Row = dict.fromkeys(COLUMNS, None) | {"model": name, "trouble": ""}
    try:
        model = chooser.manifest.get(name)
        empty["megabytes"] = model.megabytes
        row_of(model)
        if model.comes_with is None:
            pull(chooser, model, MESSAGES)
    except VoiceImeError as error:
        print(*MESSAGES.error(error), sep="\n", file=sys.stderr)
        return empty | {"trouble": error.code}
    return empty | _in_a_process(name, arguments)


def _in_a_process(name: str, arguments: argparse.Namespace) -> Row:
    given = {"--config": arguments.config, "--kind": arguments.kind, "--limit": arguments.limit}
    options = [word for option, value in given.items() if value is not None for word in (option, str(value))]
    command = [sys.executable, "-m", "benchmarks.real_models", str(arguments.manifest), "--measure", name, *options]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=LONGEST_S)
        told: Row = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"trouble": "took too long"}
    except (ValueError, IndexError):
        return {"trouble": f"ended with {done.returncode}"}
    return told


def measured(chooser: Chooser, model: Model, arguments: argparse.Namespace) -> Row:
    began = time.perf_counter()
    try:
        engine = Engines(_settings(chooser, model).engines)
    except VoiceImeError as error:
        return {"trouble": error.code}
    row: Row = {"load_s": round(time.perf_counter() - began, 2)}
    work_s, sound_s, finals_ms = 0.0, 0.0, list[float]()
    for lang, figure in (("en", "wer"), ("zh", "cer")):
        pairs = []
        recordings = _recordings(arguments, lang) if model.hears(lang) else []
        for clip in recordings:
            heard, work, final = hear(engine, clip)
            pairs.append(Pair(comparable(clip.text, lang, clip.kind), comparable(heard, lang, clip.kind), clip.speaker))
            work_s, sound_s = work_s + work, sound_s + clip.seconds
            finals_ms.append(1000 * final)
        row[f"{lang}_{figure}"] = error_rates(pairs)[figure] if pairs else None
        row[f"{lang}_recordings"] = len(pairs)
    half = percentiles(finals_ms)
    row |= {
        "final_ms_p50": half["p50"],
        "final_ms_p95": half["p95"],
        "rtf": round(work_s / sound_s, 4) if sound_s else None,
    }
    engine.close()
    return row | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000}


def _recordings(arguments: argparse.Namespace, lang: str) -> Sequence[Clip]:
    """None where the manifest has none of that language."""
    try:
        return clips(arguments.manifest, names(arguments.kind), [lang], arguments.limit)
    except NoRecordings:
        return []


def hear(engine: Engine, clip: Clip) -> tuple[str, float, float]:
    """What was heard, seconds of work in all, and those of them after the last sound had come."""
    sound, work = clip.sound, 0.0
    utterance = engine.begin(Options(language=clip.lang))
    for at in range(0, len(sound), BLOCK):
        began = time.perf_counter()
        utterance.feed(sound[at : at + BLOCK])
        work += time.perf_counter() - began
    began = time.perf_counter()
    text = utterance.finish().text
    final = time.perf_counter() - began
    return text, work + final, final


def _settings(chooser: Chooser, model: Model) -> Settings:
    """Those of the person, with this model alone in place of theirs."""
    installed = chooser.shelf.installed(model)
    chosen = engine_settings(model, installed.folder if installed is not None else None, row_of(model))
    tree = chooser.settings.engine.model_dump() | {"final": "", "by_language": {}, "others": {}}
    for name, value in chosen.items():
        tree[name] = tree[name] | value if isinstance(value, dict) else value
    return chooser.settings.model_copy(update={"engine": EngineSettings.model_validate(tree)})


# --- the table --------------------------------------------------------------------------------------------------------


def table(rows: Sequence[Row]) -> str:
    """In Markdown."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(_cell(row.get(name)) for name in COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
