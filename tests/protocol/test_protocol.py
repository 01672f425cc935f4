"""Every message on the wire has an example, survives the round trip, and is documented."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from voice_ime import protocol as wire
from voice_ime.errors import BadFrame, BadMessage

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "protocol.md"


def members(union: Any) -> list[type[BaseModel]]:
    return list(get_args(get_args(union)[0]))


CLIENT, SERVER = members(wire.ClientMessage), members(wire.ServerMessage)


def name(message: type[BaseModel]) -> str:
    return str(message.model_fields["type"].default)


def example(message: type[BaseModel]) -> str:
    return (HERE / "examples" / f"{name(message)}.json").read_text("utf-8")


@pytest.mark.parametrize("message", [*CLIENT, *SERVER], ids=name)
def test_the_example_of_a_message_survives_the_round_trip(message: type[BaseModel]) -> None:
    read = wire.read_client_message if message in CLIENT else wire.read_server_message
    parsed = read(example(message))
    assert type(parsed) is message
    assert json.loads(parsed.model_dump_json()) == json.loads(example(message))


@pytest.mark.parametrize("message", [*CLIENT, *SERVER], ids=name)
def test_the_example_shows_every_field(message: type[BaseModel]) -> None:
    assert set(json.loads(example(message))) == set(message.model_fields)


@pytest.mark.parametrize("message", [*CLIENT, *SERVER], ids=name)
def test_a_message_is_documented_with_its_example(message: type[BaseModel]) -> None:
    text = DOCS.read_text("utf-8")
    assert f"### `{name(message)}`" in text
    assert example(message).strip() in text


def test_there_is_no_example_without_a_message() -> None:
    assert {path.stem for path in (HERE / "examples").glob("*.json")} == {name(message) for message in CLIENT + SERVER}


def test_unknown_fields_are_refused_from_clients() -> None:
    with pytest.raises(BadMessage) as raised:
        wire.read_client_message('{"type": "finalize", "sample": 1, "sampel": 2}')
    assert raised.value.values == {"detail": "finalize: extra_forbidden"}


def test_unknown_fields_are_ignored_from_servers() -> None:
    message = wire.read_server_message('{"type": "finished", "sample": 1, "news": 2}')
    assert message == wire.Finished(sample=1)


@pytest.mark.parametrize(
    "text", ["", "hello", "[]", "{}", '{"type": "dance"}', '{"type": "finalize", "sample": -1}', '{"type":"kept"}']
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(BadMessage):
        wire.read_client_message(text)


def test_a_refusal_never_quotes_what_was_sent() -> None:
    for text in ('{"type": "context", "before": ["mandragora"]}', '{"type": "bye", "mandragora": 1}', "mandragora"):
        with pytest.raises(BadMessage) as raised:
            wire.read_client_message(text)
        assert "mandragora" not in str(raised.value)


def test_what_any_hello_asks_for_can_be_read() -> None:
    text = '{"type": "hello", "version": 7, "colour": "blue", "sample_rate": 44100, "messages": "zh"}'
    assert wire.wishes(text) == wire.Wishes(version=7, sample_rate=44100, messages="zh")
    assert wire.wishes('{"type": "finalize", "sample": 1}') is None


@pytest.mark.parametrize("odd", ["[]", "null", '"fast"', "1e400", "true"])
def test_oddities_in_a_hello_do_not_hide_its_version(odd: str) -> None:
    found = wire.wishes(f'{{"type": "hello", "version": 7, "sample_rate": {odd}, "messages": {odd}}}')
    assert found == wire.Wishes(version=7)


def test_sound_survives_the_round_trip() -> None:
    frame = wire.AudioFrame(123456789, b"\x01\x02\x03\x04")
    assert wire.read_audio(wire.write_audio(frame)) == frame
    assert (frame.samples, frame.end) == (2, 123456791)


@pytest.mark.parametrize("data", [b"", b"1234567", b"12345678a", b"\xff" * 8 + b"ab"])
def test_a_frame_without_a_whole_offset_and_whole_samples_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        wire.read_audio(data)
