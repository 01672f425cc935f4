"""A process that is killed at any moment loses nothing that it was told is kept, and keeps nothing by halves."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import ROOT, needs_package

needs_package("sqlalchemy")
needs_package("alembic")

from voice_ime.personalize.profile import Profile  # noqa: E402
from voice_ime.store.sql import SqlStore  # noqa: E402

SEED = 20260301


def killed_while_writing(path: Path, chance: random.Random) -> list[int]:
    """Numbers of the changes that were acknowledged before the end, which comes in the midst of something."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'clients'}"}
    command = [sys.executable, "-m", "tests.unit.store.writer", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(chance.randint(1, 40))]
        for _ in range(chance.randint(0, 20_000)):  # somewhere inside the next write
            pass
        process.kill()
        said += process.stdout.readlines()
    return [int(line.split()[0]) for line in said if line.endswith("\n")]


@pytest.mark.parametrize("run", range(8))
def test_what_was_acknowledged_outlives_a_kill(run: int, tmp_path: Path) -> None:
    path = tmp_path / "profiles.sqlite"
    store = SqlStore(path)
    store.create("ann")
    store.close()
    acknowledged = killed_while_writing(path, random.Random(SEED + run))
    store = SqlStore(path)
    profile, log = store.get("ann"), store.log("ann", limit=10_000)
    store.close()
    ids = {entry.id for entry in profile.entries}
    assert acknowledged
    assert {f"{word}{number}" for number in acknowledged for word in ("n", "twin")} - ids <= in_the_midst(acknowledged)
    assert whole(profile)
    assert profile.revision == log[0].number


def in_the_midst(acknowledged: list[int]) -> set[str]:
    """A pair that was being removed, its removal not yet undone."""
    last = acknowledged[-1]
    return {f"n{last - 1}", f"twin{last - 1}"} if last % 3 == 2 else set()


def whole(profile: Profile) -> bool:
    """Both of a pair were added in one change, and so removed."""
    ids = [entry.id for entry in profile.entries]
    numbers = {id.removeprefix("n") for id in ids if not id.startswith("twin")}
    return numbers == {id.removeprefix("twin") for id in ids if id.startswith("twin")}
