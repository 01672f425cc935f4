import socket

import pytest

from tests.server.hub import Hub
from voice_ime.errors import ModelUnreachable
from voice_ime.messages import LANGUAGES, Messages
from voice_ime.models.network import Network, NoConnection, host_of, opened, without_password

TEXTS = {
    socket.EAI_NONAME: "Name or service not known",
    socket.EAI_AGAIN: "Temporary failure in name resolution",
}
"""As the C library of Linux has them."""


def test_proxies_and_mirror_are_those_of_the_usual_variables() -> None:
    network = Network.of({"HTTPS_PROXY": "proxy:3128", "HF_ENDPOINT": "https://mirror.example/", "NO_PROXY": "local"})
    assert network.hub == "https://mirror.example"
    assert network.proxies == {"https": "http://proxy:3128", "no": "local"}


def test_a_mirror_may_be_named_without_what_goes_before_its_name() -> None:
    assert Network.of({"HF_ENDPOINT": "hf-mirror.com"}).hub == "https://hf-mirror.com"


def test_without_variables_the_hub_of_the_settings_is_reached_directly() -> None:
    assert Network.of({}, "https://hub.example") == Network("https://hub.example")


def test_small_letters_go_before_capitals_and_one_proxy_may_serve_for_all() -> None:
    network = Network.of({"all_proxy": "http://a:1", "https_proxy": "http://b:2", "HTTPS_PROXY": "http://c:3"})
    assert network.proxies == {"http": "http://a:1", "https": "http://b:2"}


def test_a_stranger_cannot_set_the_proxy_of_a_web_server() -> None:
    assert Network.of({"REQUEST_METHOD": "GET", "HTTP_PROXY": "http://evil"}).proxies == {}


@pytest.mark.parametrize("exceptions", ["127.0.0.1", "*", "elsewhere, 127.0.0.1", ".0.0.1"])
def test_hosts_that_are_excepted_are_reached_without_a_proxy(exceptions: str, hub: Hub) -> None:
    hub.files["/a"] = b"abc"
    network = Network(proxies={"http": "http://127.0.0.1:9", "no": exceptions})
    with opened(network, f"{hub.address}/a", {}) as answer:
        assert answer.body.read() == b"abc"


def test_a_proxy_that_does_not_answer_is_no_connection(hub: Hub) -> None:
    network = Network(proxies={"http": "http://127.0.0.1:9"})
    with pytest.raises(NoConnection), opened(network, f"{hub.address}/a", {}):
        pass


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_AGAIN])
def test_a_name_that_is_not_found_is_told_in_the_language_of_the_person(code: int) -> None:
    why = TEXTS[code]
    error = ModelUnreachable(model="small", where="nobody.invalid", detail=why)
    assert [why in " ".join(Messages(language).error(error)) for language in LANGUAGES] == [False, False]


def test_a_proxy_that_refuses_is_told_with_its_reason(hub: Hub) -> None:
    network = Network(proxies={"https": hub.address})  # which knows no CONNECT
    with pytest.raises(NoConnection, match="501"), opened(network, "https://models.example/a", {}):
        pass


def test_a_proxy_of_a_kind_that_is_not_spoken_is_said_and_not_passed_by(hub: Hub) -> None:
    network = Network.of({"ALL_PROXY": "socks5://127.0.0.1:9"})
    with pytest.raises(NoConnection, match="socks5 proxy"), opened(network, f"{hub.address}/a", {}):
        pass
    assert hub.requests == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/a", "nonsense"])
def test_only_http_is_spoken(address: str) -> None:
    with pytest.raises(NoConnection), opened(Network(), address, {}):
        pass


def test_people_are_told_the_host_but_never_a_password() -> None:
    assert host_of("https://ann:secret@models.example:8080/a/b") == "models.example:8080"
    assert without_password("https://ann:secret@models.example:8080/a") == "https://models.example:8080/a"
