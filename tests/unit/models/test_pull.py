"""A model is there whole, or not at all; what went wrong is said in words that help."""

import contextlib
import dataclasses
import shutil
from pathlib import Path

import pytest

from tests.server.hub import Fault, Hub, Kind
from tests.unit.models.shop import CONTENT, Listener, from_hub, left_over, model_of, puller, sha256
from voice_ime.errors import (
    FetchError,
    FileUnreadable,
    ModelBusy,
    ModelComesWith,
    ModelCut,
    ModelDiffers,
    ModelFolderTaken,
    ModelIncomplete,
    ModelNotThere,
    ModelUnreachable,
    NoRoom,
)
from voice_ime.models.manifest import Model
from voice_ime.models.network import Network
from voice_ime.models.shelf import RECORD, Shelf


def contents(folder: Path, model: Model) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / model.id).iterdir() if path.name != RECORD}


def refused(kind: type[FetchError], folder: Path, hub: Hub, model: Model) -> FetchError:
    with pytest.raises(kind) as caught:
        puller(folder, hub).pull(model)
    assert Shelf(folder).installed(model) is None
    assert not (folder / model.id).exists()
    assert left_over(folder) == []
    return caught.value


def test_a_model_comes_from_the_hub_file_by_file(hub: Hub, tmp_path: Path) -> None:
    model = from_hub(hub)
    pulled = puller(tmp_path, hub).pull(model)
    assert contents(tmp_path, model) == CONTENT
    assert (pulled.learnt, pulled.was_there) == ({}, False)
    assert left_over(tmp_path) == []


def test_a_hub_that_sends_large_files_from_elsewhere_is_followed(hub: Hub, tmp_path: Path) -> None:
    hub.linked = True
    model = from_hub(hub, known=False, sizes=False)
    puller(tmp_path, hub).pull(model)
    assert contents(tmp_path, model) == CONTENT


def test_damage_on_the_way_is_noticed_by_what_the_hub_announced(hub: Hub, tmp_path: Path) -> None:
    hub.linked = True
    hub.faults = [Fault("wrong_bytes")]
    refused(ModelDiffers, tmp_path, hub, from_hub(hub, known=False, sizes=False))


def test_a_model_that_is_here_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    model = from_hub(hub)
    puller(tmp_path, hub).pull(model)
    hub.requests.clear()
    assert puller(tmp_path, hub).pull(model).was_there
    assert hub.requests == []


def test_a_damaged_model_is_fetched_again_and_replaced(hub: Hub, tmp_path: Path) -> None:
    model = from_hub(hub)
    puller(tmp_path, hub).pull(model)
    (tmp_path / model.id / "model.onnx").write_bytes(b"x" * len(CONTENT["model.onnx"]))
    assert not puller(tmp_path, hub).pull(model).was_there
    assert contents(tmp_path, model) == CONTENT


def test_a_cut_line_goes_on_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("cut", 0.25), Fault("cut", 0.5)]
    model, listener = from_hub(hub), Listener()
    puller(tmp_path, hub, listener).pull(model)
    assert contents(tmp_path, model) == CONTENT
    assert [request.range for request in hub.requests][:3] == ["", "bytes=25600-", "bytes=64000-"]
    assert listener.again_at == [25600, 64000]


def test_a_file_of_unknown_checksum_goes_on_only_where_the_server_vouches_for_it(hub: Hub, tmp_path: Path) -> None:
    hub.tags = False
    hub.faults = [Fault("cut", 0.25)]
    model = from_hub(hub, known=False)
    puller(tmp_path, hub).pull(model)
    assert contents(tmp_path, model) == CONTENT
    assert {request.range for request in hub.requests} == {""}


def test_what_an_interrupted_try_brought_is_used_by_the_next(hub: Hub, tmp_path: Path) -> None:
    model = from_hub(hub)
    begun = tmp_path / ".fetching" / model.id / "new"
    begun.mkdir(parents=True)
    (begun / "model.onnx").write_bytes(CONTENT["model.onnx"][:50_000])
    (begun / "stranger").write_bytes(b"of an older list of models")
    puller(tmp_path, hub).pull(model)
    assert contents(tmp_path, model) == CONTENT
    assert hub.requests[0].range == "bytes=50000-"


def test_a_beginning_that_does_not_fit_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    model = from_hub(hub)
    begun = tmp_path / ".fetching" / model.id / "new"
    begun.mkdir(parents=True)
    (begun / "model.onnx").write_bytes(b"x" * 50_000)
    puller(tmp_path, hub).pull(model)
    assert contents(tmp_path, model) == CONTENT


HARMLESS: list[tuple[Kind, float]] = [
    ("cut", 0.0),
    ("cut", 0.99),
    ("stand_still", 0.3),
    ("crawl", 0.9),
    ("no_length", 0.5),
    ("busy", 0),
    ("garbage", 0),
    ("loop", 0),
    ("wrong_range", 0.5),
]


@pytest.mark.parametrize(("kind", "after"), HARMLESS)
def test_after_a_passing_fault_the_model_is_whole(kind: Kind, after: float, hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("cut", 0.1), Fault(kind, after), Fault("ignore_range")]
    model = from_hub(hub)
    puller(tmp_path, hub).pull(model)
    assert contents(tmp_path, model) == CONTENT


LASTING: list[tuple[Kind, type[FetchError]]] = [
    ("cut", ModelCut),
    ("stand_still", ModelCut),
    ("crawl", ModelCut),
    ("wrong_bytes", ModelDiffers),
    ("too_short", ModelDiffers),
    ("too_long", ModelDiffers),
    ("wrong_length", ModelDiffers),
    ("page", ModelDiffers),
    ("missing", ModelNotThere),
    ("busy", ModelUnreachable),
    ("garbage", ModelUnreachable),
    ("loop", ModelUnreachable),
]


@pytest.mark.parametrize(("kind", "error"), LASTING)
def test_a_lasting_fault_leaves_nothing_and_says_what_it_is(
    kind: Kind, error: type[FetchError], hub: Hub, tmp_path: Path
) -> None:
    hub.faults = [Fault(kind, 0.001)] * 50
    assert refused(error, tmp_path, hub, from_hub(hub)).values["model"] == "small"


def test_the_page_of_a_network_that_wants_a_login_is_no_file_even_where_nothing_is_known_of_it(
    hub: Hub, tmp_path: Path
) -> None:
    hub.faults = [Fault("page")]
    refused(ModelDiffers, tmp_path, hub, from_hub(hub, known=False, sizes=False))


def test_a_wrong_file_of_one_place_is_taken_from_the_next(hub: Hub, tmp_path: Path) -> None:
    mirror = hub.add_mirror("mirror", CONTENT)
    archive = hub.add_archive("small.tar.bz2", CONTENT)
    model = model_of({"kind": "mirror", "url": mirror}, {"kind": "archive", "url": archive})
    hub.files["/mirror/tokens.txt"] = b"other tokens"
    pulled = puller(tmp_path, hub).pull(model)
    assert contents(tmp_path, model) == CONTENT
    assert pulled.installed.source == archive


def test_a_file_that_a_place_left_half_done_does_not_stand_in_for_one_that_the_archive_lacks(
    hub: Hub, tmp_path: Path
) -> None:
    mirror = hub.add_mirror("mirror", CONTENT)
    archive = hub.add_archive("small.tar.bz2", {"tokens.txt": CONTENT["tokens.txt"]})
    model = model_of({"kind": "mirror", "url": mirror}, {"kind": "archive", "url": archive}, known=False, sizes=False)
    hub.faults = [Fault("cut", 0.001)] * 3
    assert refused(ModelIncomplete, tmp_path, hub, model).values["file"] == "model.onnx"


def test_an_archive_in_the_way_it_was_released_is_unpacked(hub: Hub, tmp_path: Path) -> None:
    archive = hub.add_archive("small.tar.bz2", CONTENT | {"README.md": b"hello", "test_wavs/0.wav": b"sound"})
    known = {"bytes": len(hub.files["/small.tar.bz2"]), "sha256": sha256(hub.files["/small.tar.bz2"])}
    model = model_of({"kind": "archive", "url": archive} | known, known=False, sizes=False)
    pulled = puller(tmp_path, hub).pull(model)
    assert contents(tmp_path, model) == CONTENT
    assert pulled.learnt == {name: sha256(content) for name, content in CONTENT.items()}


def test_checksums_of_a_first_download_are_recorded_and_a_later_one_that_differs_is_refused(
    hub: Hub, tmp_path: Path
) -> None:
    model = from_hub(hub, known=False, sizes=False)
    first = puller(tmp_path, hub).pull(model)
    assert first.learnt == {name: sha256(content) for name, content in CONTENT.items()}
    Shelf(tmp_path).remove(model)
    hub.add_hub("ann/small", CONTENT | {"tokens.txt": b"changed meanwhile"})
    refused(ModelDiffers, tmp_path, hub, model)
    Shelf(tmp_path).forget_checksums(model)
    again = puller(tmp_path, hub).pull(model)
    assert again.learnt["tokens.txt"] == sha256(b"changed meanwhile")


def test_a_second_download_of_the_same_teaches_nothing_new(hub: Hub, tmp_path: Path) -> None:
    model = from_hub(hub, known=False)
    puller(tmp_path, hub).pull(model)
    Shelf(tmp_path).remove(model)
    assert puller(tmp_path, hub).pull(model).learnt == {}


def test_a_model_that_is_being_fetched_is_not_fetched_twice(hub: Hub, tmp_path: Path) -> None:
    model, shelf = from_hub(hub), Shelf(tmp_path)
    with shelf.workplace(model) as workplace:
        (workplace.new / "model.onnx").write_bytes(b"half")
        assert shelf.sweep() == []
        with pytest.raises(ModelBusy):
            puller(tmp_path, hub).pull(model)
        assert (workplace.new / "model.onnx").exists()
    assert shelf.sweep() == ["small"]
    assert left_over(tmp_path) == []


def test_a_folder_that_somebody_else_made_is_left_alone(hub: Hub, tmp_path: Path) -> None:
    model = from_hub(hub)
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "mine").write_text("precious")
    with pytest.raises(ModelFolderTaken):
        puller(tmp_path, hub).pull(model)
    assert (tmp_path / "small" / "mine").read_text() == "precious"


def test_a_disk_that_is_too_small_is_noticed_before_anything_is_fetched(hub: Hub, tmp_path: Path) -> None:
    model = from_hub(hub, about_mb=10**9, sizes=False)
    with pytest.raises(NoRoom) as caught:
        puller(tmp_path, hub).pull(model)
    assert caught.value.values["needed"] == 10**9
    assert hub.requests == []
    assert left_over(tmp_path) == []


def test_what_an_interrupted_try_brought_needs_no_room_a_second_time(hub: Hub, tmp_path: Path) -> None:
    free_mb = shutil.disk_usage(tmp_path).free // 1_000_000
    model = from_hub(hub, about_mb=free_mb + 1000, sizes=False)
    begun = tmp_path / ".fetching" / model.id / "new"
    begun.mkdir(parents=True)
    with (begun / "model.onnx").open("wb") as file:
        file.truncate(2_000_000_000)  # takes no room itself
    puller(tmp_path, hub).pull(model)
    assert contents(tmp_path, model) == CONTENT


def test_a_place_that_nobody_serves_is_told_by_its_name(tmp_path: Path) -> None:
    away = puller(tmp_path, Hub(address="http://127.0.0.1:9"))
    with pytest.raises(ModelUnreachable) as caught:
        away.pull(model_of({"kind": "hub", "repository": "ann/small"}))
    assert caught.value.values["where"] == "127.0.0.1:9"
    assert left_over(tmp_path) == []


def test_a_model_that_comes_with_a_package_is_not_fetched(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelComesWith):
        puller(tmp_path, hub).pull(model_of(comes_with="some-package==1.0"))


def test_the_files_may_be_brought_in_a_folder(hub: Hub, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    for name, content in CONTENT.items():
        (stick / name).write_bytes(content)
    model = model_of()
    puller(tmp_path / "models", hub).pull(model, stick)
    assert contents(tmp_path / "models", model) == CONTENT
    assert hub.requests == []


def test_the_files_may_be_brought_as_the_archive(hub: Hub, tmp_path: Path) -> None:
    hub.add_archive("small.tar.bz2", CONTENT)
    stick = tmp_path / "small.tar.bz2"
    stick.write_bytes(hub.files["/small.tar.bz2"])
    model = model_of()
    puller(tmp_path / "models", hub).pull(model, stick)
    assert contents(tmp_path / "models", model) == CONTENT


@pytest.mark.parametrize("name", ["small", "small-2026", "small-2026.tar.bz2"])
def test_what_was_brought_may_lie_in_the_folder_under_its_own_name(name: str, hub: Hub, tmp_path: Path) -> None:
    place = tmp_path / "stick" / name
    model = model_of({"kind": "archive", "url": hub.add_archive("small-2026.tar.bz2", CONTENT)})
    if name.endswith(".bz2"):
        place.parent.mkdir()
        place.write_bytes(hub.files[f"/{name}"])
    else:
        place.mkdir(parents=True)
        for file, content in CONTENT.items():
            (place / file).write_bytes(content)
    puller(tmp_path / "models", hub).pull(model, tmp_path / "stick")
    assert contents(tmp_path / "models", model) == CONTENT
    assert hub.requests == []


def test_the_folder_that_one_is_in_is_told_by_its_name(hub: Hub, tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path), pytest.raises(ModelIncomplete) as caught:
        puller(tmp_path / "models", hub).pull(model_of(), Path())
    assert caught.value.values["where"] == tmp_path.name


def test_a_brought_place_without_the_files_is_told(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelIncomplete) as caught:
        puller(tmp_path / "models", hub).pull(model_of(), tmp_path / "folder")
    assert caught.value.values["file"] == "model.onnx"
    assert left_over(tmp_path / "models") == []


def test_a_place_that_is_not_there_is_told_as_such(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable) as caught:
        puller(tmp_path / "models", hub).pull(model_of(), tmp_path / "stick")
    assert caught.value.values["path"] == str(tmp_path / "stick")
    assert left_over(tmp_path / "models") == []


def test_a_brought_file_that_differs_is_refused(hub: Hub, tmp_path: Path) -> None:
    for name, content in CONTENT.items():
        (tmp_path / name).write_bytes(content[::-1])
    with pytest.raises(ModelDiffers):
        puller(tmp_path / "models", hub).pull(model_of(), tmp_path)


def test_a_download_goes_through_the_proxy_that_is_set(hub: Hub, tmp_path: Path) -> None:
    hub.files = {f"http://models.example/ann/small/resolve/main/{name}": body for name, body in CONTENT.items()}
    environment = {"HTTP_PROXY": hub.address, "HF_ENDPOINT": "http://models.example/"}
    fetching = puller(tmp_path, hub)
    network = dataclasses.replace(Network.of(environment), patience=fetching.network.patience)
    dataclasses.replace(fetching, network=network).pull(model_of({"kind": "hub", "repository": "ann/small"}))
    assert hub.requests[0].path == "http://models.example/ann/small/resolve/main/model.onnx"
