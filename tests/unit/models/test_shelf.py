"""The models folder after crashes: each model whole or not there, and nothing else."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.hub import Hub
from tests.unit.models.shop import CONTENT, from_hub, left_over, model_of, puller, sha256
from voice_ime.errors import ModelFolderTaken, ModelNotHere
from voice_ime.models.manifest import Model
from voice_ime.models.shelf import Seen, Shelf, look_at


@pytest.fixture
def model(hub: Hub, tmp_path: Path) -> Model:
    """One that is on the shelf."""
    model = from_hub(hub)
    puller(tmp_path, hub).pull(model)
    return model


def abandoned(folder: Path, *parts: str) -> Path:
    place = folder.joinpath(".fetching", "small", *parts)
    place.mkdir(parents=True)
    return place


def test_what_a_killed_download_left_is_swept(tmp_path: Path) -> None:
    (abandoned(tmp_path, "new") / "model.onnx").write_bytes(b"half")
    (tmp_path / ".fetching" / "stray").write_bytes(b"")
    assert Shelf(tmp_path).sweep() == ["small", "stray"]
    assert list(tmp_path.iterdir()) == []


def test_the_beginning_of_the_model_that_is_asked_for_again_is_kept(tmp_path: Path) -> None:
    abandoned(tmp_path, "new")
    assert Shelf(tmp_path).sweep(but="small") == []
    assert ".fetching/small/new" in left_over(tmp_path)


def test_a_model_that_was_just_being_replaced_comes_back(model: Model, tmp_path: Path) -> None:
    os.rename(tmp_path / "small", abandoned(tmp_path) / "old")
    assert Shelf(tmp_path).installed(model) is None
    Shelf(tmp_path).sweep()
    assert Shelf(tmp_path).installed(model) is not None
    assert left_over(tmp_path) == []


def test_a_replaced_model_comes_back_also_if_the_next_download_fails(model: Model, hub: Hub, tmp_path: Path) -> None:
    os.rename(tmp_path / "small", abandoned(tmp_path) / "old")
    hub.files.clear()
    with pytest.raises(ModelFolderTaken), Shelf(tmp_path).workplace(model):
        raise ModelFolderTaken(model="small", where="")
    Shelf(tmp_path).sweep()
    assert Shelf(tmp_path).installed(model) is not None


def test_a_replaced_model_goes_once_the_new_one_is_there(model: Model, tmp_path: Path) -> None:
    (abandoned(tmp_path, "old") / "voice-ime-model.json").write_text("{}")
    Shelf(tmp_path).sweep()
    assert Shelf(tmp_path).installed(model) is not None
    assert left_over(tmp_path) == []


def test_a_model_of_which_a_file_is_missing_or_short_is_not_there(model: Model, tmp_path: Path) -> None:
    (tmp_path / "small" / "tokens.txt").write_bytes(b"one")
    assert Shelf(tmp_path).installed(model) is None
    (tmp_path / "small" / "tokens.txt").unlink()
    assert Shelf(tmp_path).installed(model) is None


@pytest.mark.parametrize(
    "record", [b"", b"[]", b"{", b'{"files": {}}', b'{"files": {"model.onnx": 1, "tokens.txt": 2}}']
)
def test_a_record_that_makes_no_sense_is_no_model(record: bytes, model: Model, tmp_path: Path) -> None:
    (tmp_path / "small" / "voice-ime-model.json").write_bytes(record)
    assert Shelf(tmp_path).installed(model) is None


def test_a_model_that_the_list_describes_otherwise_by_now_is_not_there(model: Model, tmp_path: Path) -> None:
    newer = model_of(files=[{"name": "model.onnx", "role": "part"}])
    assert Shelf(tmp_path).installed(newer) is None


def test_a_changed_byte_is_found_by_reading(model: Model, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    installed = shelf.installed(model)
    assert installed is not None
    assert shelf.damaged(installed) is None
    (tmp_path / "small" / "model.onnx").write_bytes(b"x" * len(CONTENT["model.onnx"]))
    assert shelf.damaged(installed) == "model.onnx"


def test_of_several_models_that_come_at_the_same_time_all_checksums_are_kept(tmp_path: Path) -> None:
    models = [model_of(known=False, id=f"model-{number}") for number in range(16)]
    seen = {name: Seen(len(content), sha256(content)) for name, content in CONTENT.items()}
    for one in models:
        (tmp_path / one.id).mkdir()
    with ThreadPoolExecutor(len(models)) as threads:
        for one in models:
            threads.submit(Shelf(tmp_path).adopt, one, seen)
    assert [one.id for one in models for file in one.files if Shelf(tmp_path).known(one, file) is None] == []


def test_a_removed_model_is_gone_and_nothing_is_left(model: Model, tmp_path: Path) -> None:
    Shelf(tmp_path).remove(model)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ModelNotHere):
        Shelf(tmp_path).remove(model)


def test_a_folder_that_is_not_ours_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    with pytest.raises(ModelFolderTaken):
        Shelf(tmp_path).remove(model_of())
    assert (tmp_path / "small").is_dir()


def test_a_file_that_cannot_be_read_has_no_checksum(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert look_at(tmp_path / "a") == Seen(3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    assert look_at(tmp_path) is None
