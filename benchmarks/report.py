"""Figures as one page that needs nothing else: drawn, and each drawing once more as a table for those who listen."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ours import NAME
from benchmarks.output import check_output, value_text, write_file
from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.errors import ConfigError
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings

DELAYS = (
    "final_delay_ms",
    "first_partial_ms",
    "first_lasting_ms",
    "endpoint_delay_ms",
    "spoken_to_final_ms",
    "release_to_final_ms",
)
WIDTH, LABEL, ROW = 720, 250, 26
CHART_HEIGHT = 320
MARGIN = 60
DASHES = ("", "8 4", "2 3", "10 3 2 3")
"""Lines are told apart by their dashes too, not by colour alone."""

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --faint: #6b6b6b; --own: #0b5394; --other: #8a4b08 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f0f0f0; --paper: #16181c; --faint: #a8a8a8; --own: #8ec5ff; --other: #ffc27a }
}
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: auto; padding: 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
caption { text-align: start; font-weight: bold }
th, td { border: 1px solid var(--faint); padding: .3rem .6rem; text-align: start }
td { font-variant-numeric: tabular-nums }
.scroll { overflow-x: auto }
svg { max-width: 100%; height: auto }
svg text { fill: var(--ink); font: 14px system-ui, sans-serif }
"""


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    shown: str
    own: bool
    """Ours, not a peer's."""


@dataclass(frozen=True)
class Line:
    label: str
    points: tuple[tuple[float, float], ...]
    own: bool


def add_arguments(parser: Parser, messages: Messages) -> None:
    file = messages("help.file_word")
    parser.add_argument("files", type=Path, nargs="+", metavar=file, help=messages("bench.help_files"))
    parser.add_argument("--output", type=Path, required=True, metavar=file, help=messages("bench.help_report"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    check_output(arguments.output)
    page = document([_read(path, messages) for path in arguments.files], messages)
    write_file(arguments.output, page)
    print(messages("bench.report_written", path=arguments.output), file=sys.stderr)
    return ExitCode.OK


def _read(path: Path, messages: Messages) -> dict[str, Any]:
    """ConfigError where it cannot be read, or no section can be made of it."""
    try:
        figures: dict[str, Any] = json.loads(path.read_text("utf-8"))
        _section(figures, messages)
    except OSError as error:
        raise ConfigError(where=str(path), detail=str(error)) from error
    except (AttributeError, KeyError, TypeError, ValueError):
        detail = messages("bench.no_figures", benches=tuple(_SECTIONS))
        raise ConfigError(where=str(path), detail=detail) from None
    return figures


def document(runs: Sequence[Mapping[str, Any]], messages: Messages) -> str:
    """The whole page, in the language of `messages`."""
    title = escape(messages("bench.report_title"))
    sections = "\n".join(_section(figures, messages) for figures in runs)
    language = "zh-CN" if messages.language == "zh" else messages.language
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{sections}\n</main>\n</body>\n</html>"
    )


def _section(figures: Mapping[str, Any], messages: Messages) -> str:
    bench = str(figures["bench"])
    title = messages(f"bench.{bench}_title")
    if "system" in figures:
        title = messages("bench.line", name=title, value=figures["system"])
    parts = [
        f"<h2>{escape(title)}</h2>",
        _about(figures, messages),
        *_SECTIONS[bench](figures, messages),
        _all_figures(figures, messages),
    ]
    return "<section>\n" + "\n".join(parts) + "\n</section>"


def _about(figures: Mapping[str, Any], messages: Messages) -> str:
    about = dict(figures.get("about", {}))
    if left_out := figures.get("unreadable"):
        about["unreadable"] = ", ".join(left_out)
    known = messages.keys()
    facts = [
        messages("bench.line", name=messages(key), value=value)
        for name, value in about.items()
        if (key := f"bench.about.{name}") in known
    ]
    unfinished = "" if figures.get("complete", True) else f"<p>{escape(messages('bench.interrupted'))}</p>"
    listed = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    return (f"<ul>{listed}</ul>" if listed else "") + unfinished


def _systems(figures: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield NAME, figures
    yield from figures.get("peers", {}).items()


def _accuracy(figures: Mapping[str, Any], messages: Messages) -> Iterator[str]:
    bars = [
        Bar(name, 100 * own["wer"], f"{100 * own['wer']:.1f} %", name == NAME)
        for name, own in _systems(figures)
        if own.get("wer") is not None
    ]
    yield bar_chart(messages("bench.figure.wer"), bars, messages)


def _latency(figures: Mapping[str, Any], messages: Messages) -> Iterator[str]:
    for delay in DELAYS:
        bars = [
            Bar(f"{name}, {which}", value, f"{value:g} ms", name == NAME)
            for name, own in _systems(figures)
            for which in ("p50", "p95")
            if (value := own.get(delay, {}).get(which)) is not None
        ]
        yield bar_chart(messages(f"bench.figure.{delay}"), bars, messages)


def _load(figures: Mapping[str, Any], messages: Messages) -> Iterator[str]:
    lines = [Line(name, tuple(_points(own)), name == NAME) for name, own in _systems(figures)]
    yield line_chart(messages("bench.load_chart"), lines, figures.get("limit_ms", 300.0), messages)


def _points(figures: Mapping[str, Any]) -> Iterable[tuple[float, float]]:
    stages = sorted(figures.get("stages", ()), key=lambda stage: int(stage["streams"]))
    for stage in stages:
        if (p95 := stage["final_delay_ms"]["p95"]) is not None:
            yield stage["streams"], p95


_SECTIONS = {"accuracy": _accuracy, "latency": _latency, "load": _load}


def bar_chart(title: str, bars: Sequence[Bar], messages: Messages) -> str:
    """Horizontal bars with their values beside them."""
    if not bars:
        return ""
    most = max(bar.value for bar in bars) or 1.0
    height = ROW * len(bars) + 8
    drawn = "".join(_bar(bar, number, most) for number, bar in enumerate(bars))
    svg = _svg(title, height, drawn, messages)
    rows = [(bar.label, bar.shown) for bar in bars]
    return f"<h3>{escape(title)}</h3>\n{svg}\n{table(title, (messages('bench.system'), messages('bench.value')), rows)}"


def _bar(bar: Bar, number: int, most: float) -> str:
    top = ROW * number + 4
    width = max(1.0, (WIDTH - LABEL - 90) * bar.value / most)
    colour = "var(--own)" if bar.own else "var(--other)"
    return (
        f'<text x="{LABEL - 8}" y="{top + 16}" text-anchor="end">{escape(bar.label)}</text>'
        f'<rect x="{LABEL}" y="{top}" width="{width:.1f}" height="{ROW - 6}" fill="{colour}"/>'
        f'<text x="{LABEL + width + 6:.1f}" y="{top + 16}">{escape(bar.shown)}</text>'
    )


def line_chart(title: str, lines: Sequence[Line], limit: float, messages: Messages) -> str:
    """Delay over speakers, cut off at four times the limit, which is drawn too."""
    points = [point for line in lines for point in line.points]
    if not points:
        return ""
    scale = _Scale(max(x for x, _ in points), min(4 * limit, max(limit * 1.2, *(y for _, y in points))))
    drawn = [_axes(scale, limit, messages)]
    drawn += [_polyline(line, number, scale) for number, line in enumerate(lines) if line.points]
    svg = _svg(title, CHART_HEIGHT, "".join(drawn), messages)
    rows = [(line.label, f"{x:g}", f"{y:g} ms") for line in lines for x, y in line.points]
    heads = (messages("bench.system"), messages("bench.speakers"), messages("bench.figure.final_delay_p95"))
    return f"<h3>{escape(title)}</h3>\n{svg}\n{table(title, heads, rows)}"


@dataclass(frozen=True)
class _Scale:
    most_x: float
    most_y: float

    def x(self, value: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN - 80) * value / self.most_x

    def y(self, value: float) -> float:
        return CHART_HEIGHT - 40 - (CHART_HEIGHT - 70) * min(value, self.most_y) / self.most_y


def _axes(scale: _Scale, limit: float, messages: Messages) -> str:
    bottom, right = scale.y(0), scale.x(scale.most_x)
    return (
        f'<path d="M{MARGIN} 20V{bottom}H{right}" fill="none" stroke="var(--faint)"/>'
        f'<path d="M{MARGIN} {scale.y(limit):.1f}H{right}" stroke="var(--ink)" stroke-dasharray="1 3"/>'
        f'<text x="{MARGIN - 6}" y="{scale.y(limit) + 5:.1f}" text-anchor="end">{limit:g}</text>'
        f'<text x="{MARGIN - 6}" y="{bottom + 5}" text-anchor="end">0</text>'
        f'<text x="{MARGIN - 50}" y="14">ms</text>'
        f'<text x="{right}" y="{bottom + 20}" text-anchor="middle">{scale.most_x:g}</text>'
        f'<text x="{(MARGIN + right) / 2}" y="{bottom + 34}" text-anchor="middle">'
        f"{escape(messages('bench.speakers'))}</text>"
    )


def _polyline(line: Line, number: int, scale: _Scale) -> str:
    places = [(scale.x(x), scale.y(y)) for x, y in line.points]
    colour = "var(--own)" if line.own else "var(--other)"
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in places)
    dash = DASHES[number % len(DASHES)]
    last_x, last_y = places[-1]
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>{dots}'
        f'<text x="{last_x + 8:.1f}" y="{last_y + 5 + 16 * number:.1f}">{escape(line.label)}</text>'
    )


def _svg(title: str, height: float, drawn: str, messages: Messages) -> str:
    """For a screen reader one picture with a name, which says that the table follows."""
    name = escape(messages("bench.chart", title=title), quote=True)
    return f'<svg role="img" aria-label="{name}" viewBox="0 0 {WIDTH} {height:g}">{drawn}</svg>'


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "\n".join(
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(each)}</td>" for each in rest) + "</tr>"
        for first, *rest in rows
    )
    name = escape(title, quote=True)
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{name}"><table>\n'
        f"<caption>{escape(title)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _all_figures(figures: Mapping[str, Any], messages: Messages) -> str:
    """Every figure that has a name, one column for each system."""
    systems = list(_systems(figures))
    known = messages.keys()
    names = [name for name in figures if f"bench.figure.{name}" in known]
    rows = [
        (messages(f"bench.figure.{name}"),
         *(value_text(own[name], messages) if name in own else "" for _, own in systems))
        for name in names
    ]  # fmt: skip
    heads = (messages("bench.figure_word"), *(name for name, _ in systems))
    title = messages("bench.all_figures")
    return f"<h3>{escape(title)}</h3>\n{table(title, heads, rows)}"
