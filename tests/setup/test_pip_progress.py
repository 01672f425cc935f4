"""pip's many lines become a few that are fit to be heard."""

import io
import subprocess
import sys

import pytest

from scripts.pip_progress import Progress, follow
from voice_ime.messages import Messages


def progress(count: int = 25) -> Progress:
    messages = Messages("en")
    return Progress(count, lambda key, **values: messages(f"setup.{key}", **values))


def heard(*lines: str, count: int = 25) -> list[str]:
    by = progress(count)
    return [sentence for line in lines if (sentence := by.line(f"{line}\n"))]


def test_a_large_download_is_named_with_its_size():
    assert heard("  Downloading moonshine_voice-0.0.73-py3-none-manylinux_2_34_x86_64.whl (56.3 MB)") == [
        "Downloading moonshine-voice, 56 megabytes."
    ]


def test_small_downloads_and_those_already_here_are_not_worth_a_line():
    assert heard("  Downloading anyio-4.16.0-py3-none-any.whl (134 kB)", "  Using cached av-18.1.0.whl (34.0 MB)") == []


def test_every_tenth_package_is_told_but_not_the_last():
    lines = [f"Collecting a{number}==1.0 (from -r pins.txt (line 1))" for number in range(15)]
    lines += [f"Requirement already satisfied: b{number}==1.0" for number in range(15)]

    assert heard(*lines, count=30) == ["10 of 30 packages.", "20 of 30 packages."]


def test_packages_from_a_local_folder_count_too():
    assert heard(*["Processing /wheels/numpy.whl"] * 10) == ["10 of 25 packages."]


def test_the_end_of_the_downloads_is_told():
    assert heard("Installing collected packages: numpy, av") == ["All packages are here. Unpacking them."]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk_full"),
        ("WARNING: Retrying ... [Errno -3] Temporary failure in name resolution", "no_network"),
        ("ERROR: No matching distribution found for nonesuch==1.0", "pip_failed"),
    ],
)
def test_the_reason_of_a_failure_is_found_in_what_pip_says(line: str, reason: str):
    by = progress()
    by.line(line)

    assert by.reason == reason


def test_all_lines_are_kept_for_reading_later_and_few_are_said():
    script = "print('Collecting numpy==2'); print('Downloading numpy-2.0-cp311.whl (15.4 MB)'); print('noise')"
    said: list[str] = []
    log = io.StringIO()

    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        follow(process, progress(), said.append, log)

    assert said == ["Downloading numpy, 15 megabytes."]
    assert log.getvalue().splitlines()[-1] == "noise"
