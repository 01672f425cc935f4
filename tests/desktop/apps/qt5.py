"""A window of Qt 5 with one field of each kind."""

from PyQt5.QtCore import QSocketNotifier
from PyQt5.QtWidgets import QApplication, QLineEdit, QPushButton, QTextEdit, QVBoxLayout, QWidget
from witness import Field, Witness, first_field


def in_focus(widget: QWidget) -> bool:
    return widget.hasFocus() and widget.isActiveWindow()


def text_edit(read_only: bool = False) -> tuple[QWidget, Field]:
    edit = QTextEdit()
    edit.setAcceptRichText(False)
    edit.setReadOnly(read_only)
    return edit, Field(edit.toPlainText, lambda: edit.setFocus(), lambda: in_focus(edit))


def line_edit(password: bool = False) -> tuple[QWidget, Field]:
    line = QLineEdit()
    if password:
        line.setEchoMode(QLineEdit.Password)
    return line, Field(line.text, lambda: line.setFocus(), lambda: in_focus(line))


def button() -> tuple[QWidget, Field]:
    one = QPushButton("Press")
    return one, Field(str, lambda: one.setFocus(), lambda: in_focus(one))


def main() -> None:
    application = QApplication(["qt5"])
    made = {
        "text": text_edit(),
        "line": line_edit(),
        "password": line_edit(password=True),
        "readonly": text_edit(read_only=True),
        "button": button(),
    }
    window = QWidget()
    window.setWindowTitle("qt5")
    window.resize(500, 400)
    layout = QVBoxLayout(window)
    for widget, _ in made.values():
        layout.addWidget(widget)
    witness = Witness({name: field for name, (_, field) in made.items()}, application.quit)
    notifier = QSocketNotifier(0, QSocketNotifier.Read)
    notifier.activated.connect(witness.read)
    window.show()
    made[first_field()][0].setFocus()
    application.exec_()


main()
