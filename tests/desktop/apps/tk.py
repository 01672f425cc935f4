"""A window of Tk, which neither accessibility nor IBus's surrounding text can see into."""

import tkinter
from collections.abc import Callable

from witness import Field, Witness, first_field


def field_of(widget: tkinter.Misc, text: Callable[[], str]) -> Field:
    return Field(text, lambda: widget.focus_set(), lambda: widget.focus_get() is widget)


def main() -> None:
    root = tkinter.Tk(className="tk")
    root.geometry("500x400")
    text, line, password = tkinter.Text(root, height=10), tkinter.Entry(root), tkinter.Entry(root, show="*")
    for widget in (text, line, password):
        widget.pack(fill="both")
    fields = {
        "text": field_of(text, lambda: text.get("1.0", "end-1c")),
        "line": field_of(line, line.get),
        "password": field_of(password, password.get),
    }
    witness = Witness(fields, root.destroy)
    root.tk.createfilehandler(0, tkinter.READABLE, witness.read)
    fields[first_field()].focus()
    root.mainloop()


main()
