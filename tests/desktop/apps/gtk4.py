"""A window of GTK 4 with one field of each kind."""

import gi

gi.require_version("Gtk", "4.0")
from gi.repository import GLib, Gtk  # noqa: E402
from witness import Field, Witness, first_field  # noqa: E402

Made = tuple[Gtk.Widget, Field]


def in_focus(widget: Gtk.Widget) -> bool:
    """An entry gives the focus to a part of itself."""
    window = widget.get_root()
    focus = window.get_focus()
    return window.is_active() and focus is not None and (focus == widget or focus.is_ancestor(widget))


def text_view(editable: bool = True) -> Made:
    view = Gtk.TextView(editable=editable, vexpand=editable)
    buffer = view.get_buffer()
    return view, Field(
        lambda: buffer.get_text(*buffer.get_bounds(), True), lambda: view.grab_focus(), lambda: in_focus(view)
    )


def entry(line: Gtk.Widget) -> Made:
    grab = getattr(line, "grab_focus_without_selecting", line.grab_focus)  # else what stands there is replaced
    return line, Field(line.get_text, lambda: grab(), lambda: in_focus(line))


def button() -> Made:
    one = Gtk.Button(label="Press")
    return one, Field(str, lambda: one.grab_focus(), lambda: in_focus(one))


def show(application: Gtk.Application) -> None:
    made = {
        "text": text_view(),
        "line": entry(Gtk.Entry()),
        "password": entry(Gtk.PasswordEntry()),
        "readonly": text_view(editable=False),
        "button": button(),
    }
    window = Gtk.ApplicationWindow(application=application, title="gtk4")
    window.set_default_size(500, 400)
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
    for widget, _ in made.values():
        box.append(widget)
    window.set_child(box)
    witness = Witness({name: field for name, (_, field) in made.items()}, application.quit)
    GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, witness.read)
    made[first_field()][0].grab_focus()
    window.present()


application = Gtk.Application()
application.connect("activate", show)
application.run([])
