"""A terminal (VTE) that runs bash, or another command given after the name of the field.

Its field `terminal` is everything that was sent to the command, as the terminal sent it; `screen` is what it shows.
"""

import os
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Vte", "2.91")
from gi.repository import GLib, Gtk, Vte  # noqa: E402
from witness import Field, Witness  # noqa: E402


def main() -> None:
    terminal = Vte.Terminal()
    sent: list[str] = []
    terminal.connect("commit", lambda _, text, size: sent.append(text))
    window = Gtk.Window(title="vte")
    window.add(terminal)
    window.connect("destroy", Gtk.main_quit)
    field = Field(lambda: "".join(sent), lambda: terminal.grab_focus(), lambda: terminal.has_focus())
    screen = Field(lambda: terminal.get_text(None, None)[0], lambda: None, lambda: False)
    witness = Witness({"terminal": field, "screen": screen}, Gtk.main_quit)
    GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, witness.read)
    window.show_all()
    terminal.grab_focus()
    command = sys.argv[2:] or ["/bin/bash", "--norc", "--noprofile"]
    environment = [f"{name}={value}" for name, value in (os.environ | {"PS1": "$ "}).items()]
    terminal.spawn_async(
        Vte.PtyFlags.DEFAULT, None, command, environment, GLib.SpawnFlags.DEFAULT, None, None, -1, None, None
    )
    Gtk.main()


main()
