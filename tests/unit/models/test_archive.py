"""What an archive may hold and what not; nothing is ever written outside, nor more than was to be expected."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.server.hub import Hub, archive_of
from tests.unit.models.shop import CONTENT, left_over, model_of, puller
from voice_ime.errors import ArchiveRefused, ModelDiffers, ModelIncomplete
from voice_ime.models.archive import SPARE_BYTES
from voice_ime.models.shelf import Shelf

GOOD = {f"inside/{name}": content for name, content in CONTENT.items()}


def part(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


def brought(folder: Path, archive: bytes) -> Path:
    path = folder / "small.tar.bz2"
    path.write_bytes(archive)
    return path


def refused(folder: Path, hub: Hub, archive: bytes, known: bool = True) -> ArchiveRefused:
    before = sorted(folder.rglob("*"))
    with pytest.raises(ArchiveRefused) as caught:
        puller(folder / "models", hub).pull(model_of(known=known, sizes=known), brought(folder, archive))
    new = {path.name for path in folder.rglob("*") if path not in before}
    assert new == {"models", "small.tar.bz2"}
    return caught.value


HOSTILE = [
    part("/etc/evil"),
    part("../../evil"),
    part("inside/../../evil"),
    part("inside\\..\\evil"),
    part("inside/link", tarfile.SYMTYPE, "/etc/passwd"),
    part("inside/model.onnx", tarfile.SYMTYPE, "/etc/passwd"),
    part("inside/hard", tarfile.LNKTYPE, "inside/tokens.txt"),
    part("inside/device", tarfile.CHRTYPE),
    part("inside/disk", tarfile.BLKTYPE),
    part("inside/pipe", tarfile.FIFOTYPE),
    part("inside/tokens.txt"),
]


@pytest.mark.parametrize("odd", HOSTILE, ids=lambda odd: f"{odd.name} {odd.type!r}")
def test_a_hostile_archive_is_refused_as_a_whole(odd: tarfile.TarInfo, hub: Hub, tmp_path: Path) -> None:
    assert refused(tmp_path, hub, archive_of(GOOD, [odd])).values["member"]


def test_the_name_of_a_hostile_part_is_told_without_what_a_terminal_would_obey(hub: Hub, tmp_path: Path) -> None:
    error = refused(tmp_path, hub, archive_of(GOOD, [part("../\x1b[2Jevil" + "x" * 200)]))
    assert str(error.values["member"]).startswith("../?[2Jevil")
    assert len(str(error.values["member"])) == 80


@pytest.mark.parametrize("known", [True, False])
def test_an_archive_that_grows_beyond_measure_is_refused_before_it_fills_the_disk(
    known: bool, hub: Hub, tmp_path: Path
) -> None:
    bomb = archive_of(GOOD | {"inside/zeros": bytes(SPARE_BYTES + 4_000_000)}, compression="gz")
    assert len(bomb) < 500_000
    refused(tmp_path, hub, bomb, known)


def test_an_archive_of_countless_parts_is_refused(hub: Hub, tmp_path: Path) -> None:
    refused(tmp_path, hub, archive_of(GOOD, [part(f"inside/{number}", tarfile.DIRTYPE) for number in range(2001)]))


@pytest.mark.parametrize("junk", [b"", b"PK\x03\x04 not a tar", b"BZh9 nor this", b"\x1f\x8b nor this", bytes(5000)])
def test_what_is_no_archive_is_refused(junk: bytes, hub: Hub, tmp_path: Path) -> None:
    refused(tmp_path, hub, junk)


@pytest.mark.parametrize("compression", ["bz2", "gz", "xz"])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_an_archive_that_breaks_off_is_refused(compression: str, keep: float, hub: Hub, tmp_path: Path) -> None:
    whole = archive_of(GOOD, compression=compression)
    refused(tmp_path, hub, whole[: int(len(whole) * keep)], known=False)


@pytest.mark.parametrize("compression", ["bz2", "gz", "xz"])
def test_an_archive_with_a_changed_byte_is_refused(compression: str, hub: Hub, tmp_path: Path) -> None:
    whole = bytearray(archive_of(GOOD, compression=compression))
    whole[len(whole) // 2] ^= 0x40
    refused(tmp_path, hub, bytes(whole), known=False)


@pytest.mark.parametrize("compression", ["bz2", "gz", "xz"])
@pytest.mark.parametrize("folder", ["", "inside/", "./"])
def test_archives_of_the_usual_kinds_are_taken(folder: str, compression: str, hub: Hub, tmp_path: Path) -> None:
    files = {f"{folder}{name}": content for name, content in CONTENT.items()}
    archive = archive_of(files, [part("inside", tarfile.DIRTYPE)], compression)
    pulled = puller(tmp_path / "models", hub).pull(model_of(), brought(tmp_path, archive))
    assert (pulled.installed.folder / "model.onnx").read_bytes() == CONTENT["model.onnx"]


def test_files_deeper_inside_are_not_those_of_the_model(hub: Hub, tmp_path: Path) -> None:
    archive = archive_of({"a/b/model.onnx": b"other", "a/tokens.txt": CONTENT["tokens.txt"]})
    with pytest.raises(ModelIncomplete):
        puller(tmp_path / "models", hub).pull(model_of(known=False, sizes=False), brought(tmp_path, archive))


def test_an_archive_with_other_files_of_the_same_size_is_refused(hub: Hub, tmp_path: Path) -> None:
    archive = archive_of({name: content[::-1] for name, content in GOOD.items()})
    with pytest.raises(ModelDiffers):
        puller(tmp_path / "models", hub).pull(model_of(), brought(tmp_path, archive))
    assert Shelf(tmp_path / "models").installed(model_of()) is None
    assert left_over(tmp_path / "models") == []


def test_headers_that_make_no_sense_are_refused(hub: Hub, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        odd = tarfile.TarInfo("inside/model.onnx")
        odd.pax_headers = {"size": "-5"}
        tar.addfile(odd)
    with pytest.raises((ArchiveRefused, ModelIncomplete, ModelDiffers)):
        puller(tmp_path / "models", hub).pull(model_of(), brought(tmp_path, stream.getvalue()))
    assert left_over(tmp_path / "models") == []
