"""A window of GTK 3 with one field of each kind."""

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk  # noqa: E402
from witness import Field, Witness, first_field  # noqa: E402


def text_view(editable: bool = True) -> tuple[Gtk.Widget, Field]:
    view = Gtk.TextView(editable=editable)
    buffer = view.get_buffer()
    return view, Field(
        lambda: buffer.get_text(*buffer.get_bounds(), True), lambda: view.grab_focus(), lambda: view.has_focus()
    )


def entry(visible: bool = True) -> tuple[Gtk.Widget, Field]:
    line = Gtk.Entry(visibility=visible)
    # else what stands there would be selected, and replaced
    return line, Field(line.get_text, lambda: line.grab_focus_without_selecting(), lambda: line.has_focus())


def button() -> tuple[Gtk.Widget, Field]:
    one = Gtk.Button(label="Press")
    return one, Field(str, lambda: one.grab_focus(), lambda: one.has_focus())


def main() -> None:
    made = {
        "text": text_view(),
        "line": entry(),
        "password": entry(visible=False),
        "readonly": text_view(editable=False),
        "button": button(),
    }
    window = Gtk.Window(title="gtk3")
    window.set_default_size(500, 400)
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
    for name, (widget, _) in made.items():
        box.pack_start(widget, name == "text", True, 0)
    window.add(box)
    window.connect("destroy", Gtk.main_quit)
    witness = Witness({name: field for name, (_, field) in made.items()}, Gtk.main_quit)
    GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, witness.read)
    window.show_all()
    made[first_field()][0].grab_focus()
    Gtk.main()


main()
