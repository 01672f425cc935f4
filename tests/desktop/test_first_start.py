"""The first start of a Mandarin speaker on a desktop, and a download: heard, and by one voice."""

import os
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.desktop.applications import VTE, Application
from tests.desktop.conftest import Open
from tests.desktop.session import Parts, Session, require
from tests.desktop.ssip_server import Spoken
from tests.desktop.x11 import until
from tests.needs import ROOT, needs_package
from tests.server.hub import Fault, Hub, serving
from voice_ime.messages import Messages
from voice_ime.models.manifest import Choice, Manifest, Model

for package in ("fastapi", "onnxruntime", "sherpa-onnx", "tomlkit", "dbus-fast", "kaldi-native-fbank"):
    needs_package(package)
needs_package("python-xlib", "Xlib")

pytestmark = pytest.mark.slow

ZH = Messages("zh")
MICRO = ROOT / "tests" / "models" / "micro_zh" / "streaming-transducer"
RECOMMENDED = "您听写用的语言：中文、英语。"
QUESTION = ZH("models.ask", name="Micro")
READY = ZH("desktop.ready", key="Pause")


@pytest.fixture
def parts(request: pytest.FixtureRequest) -> Parts:
    return Parts(input_method=False, sound=True, **getattr(request, "param", {}))


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as running:
        running.add_hub("ann/micro", {path.name: path.read_bytes() for path in MICRO.iterdir()})
        yield running


@pytest.fixture
def command(session: Session, hub: Hub) -> list[str]:
    """Starts the desktop client as somebody does for the first time."""
    import tomlkit

    folder = session.home / ".config" / "voice-ime"
    folder.mkdir(parents=True)
    models = f'folder = "{session.home}/models"\ncatalogue = "{session.home}/list.toml"'
    (folder / "settings.toml").write_text(f'language = "zh"\n[models]\n{models}\n')
    manifest = Manifest(model=(micro(),), choice=(Choice(model="micro", languages=("zh", "en")),))
    (session.home / "list.toml").write_text(tomlkit.dumps(manifest.model_dump(mode="json", exclude_none=True)))
    paths = f"PYTHONPATH={ROOT}:{ROOT / 'clients'}"
    return ["env", paths, f"HF_ENDPOINT={hub.address}", sys.executable, "-m", "voice_ime", "desktop"]


def micro() -> Model:
    """A tiny model that the hub has."""
    plain = {
        "id": "micro",
        "name": "Micro",
        "engine": "sherpa",
        "settings": {"kind": "streaming-transducer", "languages": ["zh", "en"]},
        "languages": ["zh", "en"],
        "streaming": True,
        "licence": {"name": "MIT", "commercial": "yes"},
        "supports": {},
        "files": [{"name": path.name, "role": "part", "bytes": path.stat().st_size} for path in MICRO.iterdir()],
        "sources": [{"kind": "hub", "repository": "ann/micro"}],
    }
    return Model.model_validate(plain)


def says(client: str, sentence: str) -> Callable[[list[Spoken]], bool]:
    return lambda requests: any(one.client == client and sentence in one.text for one in requests)


def shown(terminal: Application) -> str:
    """Without the ends of lines, which stand where the window is full."""
    return terminal.text("screen").replace("\n", "")


def test_question_and_download_are_heard_and_answered_with_one_key(
    session: Session, command: list[str], open_application: Open
) -> None:
    terminal = open_application(VTE, "terminal", *command)
    session.speech.wait_for(says("voice-ime", QUESTION), 60)
    until(lambda: RECOMMENDED in shown(terminal), "the recommendation in the terminal")
    session.screen.tap("Return")
    session.speech.wait_for(says("voice-ime", READY), 60)
    said = session.speech.said("voice-ime")
    assert said[0].startswith(RECOMMENDED)
    assert said[1:3] == [QUESTION, "正在获取 Micro，1 兆。"]
    fetched = said[: said.index(ZH("desktop.starting"))]
    assert fetched[-2:] == ["Micro 已经在这台电脑上，文件完好。", "从现在起用 Micro 听写。"]


def test_an_enter_from_before_the_question_is_no_answer(
    session: Session, command: list[str], hub: Hub, open_application: Open
) -> None:
    begin = session.home / "begin"
    os.mkfifo(begin)
    terminal = open_application(VTE, "terminal", "bash", "-c", 'cat "$0"; exec "$@"', str(begin), *command)
    session.screen.tap("Return")
    until(lambda: terminal.text("terminal") == "\r", "the key")
    begin.write_bytes(b"")
    session.speech.wait_for(says("voice-ime", QUESTION), 60)
    session.screen.tap("n")
    session.screen.tap("Return")
    session.speech.wait_for(says("voice-ime", "以后要选模型，请输入：voice-ime models pull micro"))
    session.speech.wait_for(says("voice-ime", READY), 60)
    assert hub.requests == []


def test_after_a_download_that_failed_one_hears_how_to_try_again(
    session: Session, command: list[str], hub: Hub, open_application: Open
) -> None:
    hub.files.clear()
    open_application(VTE, "terminal", *command)
    session.speech.wait_for(says("voice-ime", QUESTION), 60)
    session.screen.tap("Return")
    session.speech.wait_for(says("voice-ime", READY), 60)
    said = session.speech.said("voice-ime")
    assert said[said.index(ZH("desktop.starting")) - 1] == "以后要选模型，请输入：voice-ime models pull micro"


@pytest.mark.parametrize("parts", [{"screen_reader": True}], indirect=True)
def test_what_the_screen_reader_reads_from_the_terminal_is_not_said_twice(
    session: Session, command: list[str], open_application: Open
) -> None:
    terminal = open_application(VTE, "terminal", *command)
    session.speech.wait_for(says("orca", QUESTION), 60)
    until(lambda: QUESTION in shown(terminal), "the question in the terminal")
    session.screen.tap("Return")
    session.speech.wait_for(says("voice-ime", READY), 60)
    assert session.speech.said("voice-ime")[0] == ZH("desktop.starting")


@pytest.mark.parametrize("parts", [{"screen_reader": True}], indirect=True)
def test_in_a_terminal_that_no_screen_reader_can_read_it_is_said(session: Session, command: list[str]) -> None:
    require("xterm")
    session.start(["xterm", "-u8", "-e", *command])
    session.speech.wait_for(says("voice-ime", QUESTION), 60)
    session.screen.tap("Return")
    session.speech.wait_for(says("voice-ime", READY), 60)


@pytest.mark.parametrize(
    ("parts", "bar"), [({}, True), ({"screen_reader": True}, False)], ids=["eyes", "ears"], indirect=["parts"]
)
def test_a_bar_is_drawn_only_where_no_screen_reader_would_read_it_out(
    bar: bool, hub: Hub, command: list[str], open_application: Open
) -> None:
    hub.faults = [Fault("stand_still")]
    terminal = open_application(VTE, "terminal", *command[:-1], "models", "pull", "micro")
    until(lambda: "来自" in shown(terminal), "the beginning of the download")
    if bar:
        until(lambda: "% |" in shown(terminal), "the bar")
    assert ("% |" in shown(terminal)) is bar
