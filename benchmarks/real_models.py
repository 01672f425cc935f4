"""The models of the list on this machine: fetched, and measured on recordings: accuracy, delay, size, memory.

    voice-ime bench models MANIFEST [--models ID,ID] [--table] [--output FILE]

The models that are here, or one command for somebody with internet: `--models recommended`; benchmarks/real_models.md
says what the figures mean. Each model is fetched like `voice-ime models pull` does, and is then measured in a process
of its own: a model that cannot be fetched, or that brings its process down, is a row of the table that says so.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from benchmarks.metrics import Pair, comparable, error_rates, percentiles
from benchmarks.output import check_output, show
from benchmarks.recordings import Clip, clips, names
from benchmarks.start import facts
from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.commands.models import pull
from voice_ime.engine.base import SAMPLE_RATE, Engine, Options
from voice_ime.engine.engines import Engines
from voice_ime.errors import NoRecordings, VoiceImeError
from voice_ime.local_server import same_settings
from voice_ime.messages import Messages
from voice_ime.models.chooser import Chooser, chooser_of
from voice_ime.models.manifest import Model
from voice_ime.models.use import engine_settings, row_of
from voice_ime.settings import EngineSettings, Settings

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
LANGUAGES = ("en", "zh")
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


def add_arguments(parser: Parser, messages: Messages) -> None:
    name, file, number = (messages(f"help.{word}_word") for word in ("name", "file", "number"))
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help=messages("bench.help_manifest"))
    parser.add_argument("--models", default="here", metavar=name, help=messages("bench.help_models"))
    parser.add_argument("--kind", default="read", metavar=name, help=messages("bench.help_kind"))
    parser.add_argument("--limit", type=int, metavar=number, help=messages("bench.help_limit"))
    parser.add_argument("--table", action="store_true", help=messages("bench.help_table"))
    parser.add_argument("--json", action="store_true", help=messages("bench.help_json"))
    parser.add_argument("--output", type=Path, metavar=file, help=messages("bench.help_output"))
    parser.add_argument("--measure", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, settings: Settings, messages: Messages) -> int:
    chooser = chooser_of(settings, arguments.environment)
    if arguments.measure:
        print(json.dumps(measured(chooser, chooser.manifest.get(arguments.measure), arguments)))
        return ExitCode.OK
    check_output(arguments.output)
    clips(arguments.manifest, names(arguments.kind), LANGUAGES, arguments.limit)  # so that it is told at once
    candidates = _candidates(arguments.models, chooser)
    if not candidates:
        print(messages("models.none_here"), file=sys.stderr)
        return ExitCode.NO_MODEL
    rows: list[Row] = []
    figures: Row = {"bench": "real_models", "complete": False, "models": rows}
    try:
        for name in candidates:
            rows.append(tried(chooser, name, arguments, messages))
        figures["complete"] = True
    finally:
        if rows:
            figures["about"] = facts() | {"manifest": arguments.manifest.name}
            show(figures, arguments, messages)
            print(table(rows) if arguments.table else "", end="")
    return ExitCode.OK if all(row["trouble"] == "" for row in rows) else ExitCode.SOME_FAILED


def _candidates(asked: str, chooser: Chooser) -> Sequence[str]:
    if asked == "here":
        return [model.id for model in chooser.manifest.model if chooser.is_here(model)]
    return RECOMMENDED if asked == "recommended" else names(asked)


# --- one model --------------------------------------------------------------------------------------------------------


def tried(chooser: Chooser, name: str, arguments: argparse.Namespace, messages: Messages) -> Row:
    """Fetches and measures; what goes wrong is in `trouble`."""
    empty: Row = dict.fromkeys(COLUMNS, None) | {"model": name, "trouble": ""}
    try:
        model = chooser.manifest.get(name)
        empty["megabytes"] = model.megabytes
        row_of(model)
        if model.comes_with is None:
            with redirect_stdout(sys.stderr):  # standard output is for the figures
                pull(chooser, model, messages)
    except VoiceImeError as error:
        print(*messages.error(error), sep="\n", file=sys.stderr)
        return empty | {"trouble": error.code}
    return empty | _in_a_process(name, arguments)


def _in_a_process(name: str, arguments: argparse.Namespace) -> Row:
    limit = () if arguments.limit is None else ("--limit", str(arguments.limit))
    options = ("--measure", name, "--kind", arguments.kind, *limit, *same_settings(arguments))
    command = (sys.executable, "-P", "-m", "voice_ime", "bench", "models", str(arguments.manifest), *options)
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=False, timeout=LONGEST_S, env=arguments.environment
        )
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
    for lang, figure in zip(LANGUAGES, ("wer", "cer"), strict=True):
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
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
