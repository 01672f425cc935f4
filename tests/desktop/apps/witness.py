"""What the small test programs have in common: they tell what stands in their fields, as the program itself sees it.

One request per line of standard input, one JSON object per line of standard output:
`text FIELD` {"text"}, `focus FIELD` {}, `focused` {"field"}: which field has the keyboard, null: none.
The end of standard input ends the program. Standard library only: Debian's own Python runs these.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    text: Callable[[], str]
    focus: Callable[[], None]
    focused: Callable[[], bool]


class Witness:
    """`read` is to be called whenever standard input has something; `leave` is called at its end."""

    def __init__(self, fields: Mapping[str, Field], leave: Callable[[], None]) -> None:
        self._fields = fields
        self._leave = leave
        self._rest = b""

    def read(self, *_: object) -> bool:
        """True, as long as there is more to come: GLib calls again then."""
        block = os.read(0, 65536)
        if not block:
            self._leave()
            return False
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            print(json.dumps(self._answer(*line.decode().split())), flush=True)
        return True

    def _answer(self, request: str, field: str = "") -> dict[str, object]:
        match request:
            case "text":
                return {"text": self._fields[field].text()}
            case "focus":
                self._fields[field].focus()
                return {}
            case "focused":
                return {"field": next((name for name, one in self._fields.items() if one.focused()), None)}
        return {"error": request}


def first_field() -> str:
    """The field that the command line wants to have the focus."""
    return sys.argv[1]
