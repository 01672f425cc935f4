"""A child process that changes a profile without end, and says each revision once it was acknowledged."""

import itertools
import sys
from pathlib import Path

from tests.unit.store.making import PERSON, entry
from voice_ime.store.base import Put, Remove
from voice_ime.store.sql import SqlStore


def main() -> None:
    store = SqlStore(Path(sys.argv[1]))
    for number in itertools.count():
        changes = [Put(entry(f"n{number}")), Put(entry(f"twin{number}"))]
        print(number, store.apply("ann", changes, PERSON), flush=True)
        if number % 3 == 2:
            store.apply("ann", [Remove("entry", f"n{number - 1}"), Remove("entry", f"twin{number - 1}")], PERSON)
            store.undo("ann", store.revision("ann"), PERSON)


main()
