"""How long a stranger waits: for ./dictate from nothing, for the second start, for the help.

    .venv/bin/python -m benchmarks.start [--json benchmarks/results/start.json]

Clones the project into a temporary folder and sets it up with a cold package cache, so it needs the network and a
gigabyte. What is not committed is not measured.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = dict(os.environ) | {"LC_ALL": "C.UTF-8"}
READY = "Ready."


def facts() -> dict[str, Any]:
    """Date, machine and commit that the figures belong to."""
    processors = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in processors if line.startswith("model name")]
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
    }


def tell(figures: Mapping[str, Any], path: Path | None) -> None:
    """Prints the figures as JSON, and writes them to `path` if there is one."""
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    print(text, end="")
    if path is not None:
        path.write_text(text, "utf-8")


def lines_of(command: list[str | Path], until: str = "", **variables: str) -> list[float]:
    """The seconds at which each line came; `until`: what the line starts with at which the command is ended."""
    started = time.monotonic()
    seen = []
    with subprocess.Popen(
        command, env=ENVIRONMENT | variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, encoding="utf-8", start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            seen.append(time.monotonic() - started)
            if until and line.startswith(until):
                os.killpg(process.pid, signal.SIGINT)
                break
        process.stdout.read()
    if process.returncode and not until:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return [*seen, time.monotonic() - started] if not until else seen


def measure(project: Path) -> dict[str, float]:
    """Seconds each."""
    first = lines_of([project / "dictate", "--setup-only"], PIP_NO_CACHE_DIR="1")
    again = [lines_of([project / "dictate", "--setup-only"])[-1] for _ in range(5)]
    ready = [lines_of([project / "dictate"], until=READY)[-1] for _ in range(3)]
    help_ = [lines_of([project / ".venv" / "bin" / "voice-ime", "--help"])[-1] for _ in range(5)]
    return {
        "setup_from_nothing_s": round(first[-1], 1),
        "longest_silence_s": round(max(b - a for a, b in zip([0.0, *first], first, strict=False)), 1),
        "second_start_overhead_s": round(sorted(again)[2], 3),
        "second_start_ready_s": round(sorted(ready)[1], 2),
        "help_s": round(sorted(help_)[2], 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "voice-ime"
        subprocess.run(["git", "clone", "-q", ROOT, project], check=True)
        figures = facts() | measure(project)
    tell(figures, arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
