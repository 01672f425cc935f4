import hashlib
import sys
from pathlib import Path

import pytest

from voice_ime.engine.store import ModelFile, ModelSource, checked_file, checked_files, package_folder
from voice_ime.errors import ModelDamaged, ModelNotFound

WHOLE = b"weights"


def source_of(package: str = "no_such_package") -> ModelSource:
    file = ModelFile("weights.bin", len(WHOLE), hashlib.sha256(WHOLE).hexdigest())
    return ModelSource("Test model", package, "test-model==1.0", "inside", (file,))


def folder_with(tmp_path: Path, content: bytes) -> Path:
    (tmp_path / "weights.bin").write_bytes(content)
    return tmp_path


def test_whole_files_are_found_in_a_given_folder(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, WHOLE)
    assert checked_files(source_of(), folder) == (folder / "weights.bin",)


def test_a_model_whose_package_is_absent_is_reported_with_the_command_that_gets_it() -> None:
    with pytest.raises(ModelNotFound) as caught:
        checked_files(source_of())
    assert caught.value.values["model"] == "Test model"
    assert caught.value.values["where"] == "test-model==1.0"
    assert str(caught.value.values["command"]).endswith("-m pip install --force-reinstall --no-deps test-model==1.0")


def test_a_package_without_the_model_files_is_reported_with_the_missing_file() -> None:
    with pytest.raises(ModelNotFound) as caught:
        checked_files(source_of(package="voice_ime"))
    assert str(caught.value.values["where"]).endswith(str(Path("voice_ime", "inside", "weights.bin")))


@pytest.mark.parametrize("content", [b"", b"weight", b"weightS", b"weights and more"])
def test_a_damaged_model_is_refused_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    folder = folder_with(tmp_path, content)
    with pytest.raises(ModelDamaged) as caught:
        checked_files(source_of(), folder)
    assert caught.value.values["file"] == str(folder / "weights.bin")
    assert "test-model==1.0" in str(caught.value.values["command"])


def test_a_single_file_elsewhere_is_checked_too(tmp_path: Path) -> None:
    source = source_of()
    path = folder_with(tmp_path, WHOLE) / "weights.bin"
    assert checked_file(source, source.files[0], path) == path


def test_a_package_is_found_without_being_imported() -> None:
    before = set(sys.modules)
    assert package_folder("xmlrpc") is not None
    assert "xmlrpc" not in set(sys.modules) - before


def test_an_absent_package_has_no_folder() -> None:
    assert package_folder("no_such_package") is None
