"""What `open_prepared` accepts, and every kind of damage that it must name. Writing is tested through it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from netspec_runtime.data.check import check_prepared
from netspec_runtime.data.manifest import Origin
from netspec_runtime.data.open import is_prepared, open_prepared
from netspec_runtime.data.prepared import MANIFEST, UNLABELLED, PreparedData, Split
from netspec_runtime.data.write import write_arrays
from netspec_runtime.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 4, 5, 3), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, UNLABELLED])


def written(folder: Path) -> PreparedData:
    splits = {"train": Split(IMAGES[:6], LABELS[:6]), "test": Split(IMAGES[6:], LABELS[6:])}
    return write_arrays(folder, ("a", "b", "c"), splits, Origin("drawn"))


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    data = written(tmp_path / "out")
    assert (data.classes, data.size, data.channels) == (("a", "b", "c"), (4, 5), 3)
    assert np.array_equal(data.splits["train"].images, IMAGES[:6])
    assert np.array_equal(data.splits["test"].images, IMAGES[6:])
    assert np.array_equal(data.splits["test"].labels, LABELS[6:])
    assert data.splits["test"].labels.dtype == np.int64
    assert check_prepared(tmp_path / "out").digest == data.digest


def test_the_files_are_numpys(tmp_path: Path) -> None:
    written(tmp_path)
    mapped = np.load(tmp_path / "train-images.npy", mmap_mode="r")
    assert np.array_equal(mapped, IMAGES[:6])
    assert mapped.offset % 64 == 0
    assert np.array_equal(np.load(tmp_path / "test-labels.npy"), LABELS[6:])
    assert np.load(tmp_path / "mean-image.npy").dtype == np.float32


def test_the_digest_is_of_the_contents(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a"), written(tmp_path / "b")
    assert first.digest == second.digest
    other = write_arrays(tmp_path / "c", ("a", "b", "c"), {"train": Split(IMAGES[:6], LABELS[:6])}, Origin("drawn"))
    assert other.digest != first.digest


def test_a_split_without_pictures_is_left_out(tmp_path: Path) -> None:
    splits = {"train": Split(IMAGES[:0], LABELS[:0]), "test": Split(IMAGES, LABELS)}
    data = write_arrays(tmp_path, ("a", "b", "c"), splits, Origin("drawn"))
    assert list(data.splits) == ["test"]
    assert np.array_equal(data.statistics.mean_image, IMAGES.mean(axis=0).astype(np.float32))


def test_foreign_files_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(DataError, match=r"not empty: it has thesis\.tex; choose a new folder"):
        written(tmp_path)
    (tmp_path / "thesis.tex").rename(tmp_path.parent / "thesis.tex")
    written(tmp_path)
    (tmp_path / "thesis.tex").write_text("mine")
    splits = {"train": Split(IMAGES, LABELS)}
    with pytest.raises(DataError, match=r"thesis\.tex"):
        write_arrays(tmp_path, ("a", "b", "c"), splits, Origin("drawn"), replace=True)
    assert (tmp_path / "thesis.tex").read_text() == "mine"
    assert len(open_prepared(tmp_path).splits["train"]) == 6


def test_no_prepared_data(tmp_path: Path) -> None:
    assert not is_prepared(tmp_path)
    with pytest.raises(DataError, match=r"there is no prepared\.json; make it with `netspec prepare"):
        open_prepared(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        open_prepared(tmp_path / "none")


@pytest.mark.parametrize("name", ["train-images.npy", "test-labels.npy", "mean-image.npy", "quarantine.txt"])
def test_a_missing_or_longer_file_is_found(tmp_path: Path, name: str) -> None:
    written(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(DataError, match=f"{name}: it has .* bytes and not"):
        open_prepared(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=f"{name}: this file of the prepared data is missing"):
        open_prepared(tmp_path)


@pytest.mark.parametrize("name", ["train-images.npy", "test-labels.npy", "mean-image.npy"])
def test_every_flipped_bit_is_found_on_request(tmp_path: Path, name: str) -> None:
    written(tmp_path)
    path = tmp_path / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="bytes changed since it was prepared"):
        check_prepared(tmp_path)


def test_labels_beyond_the_classes_are_found(tmp_path: Path) -> None:
    written(tmp_path)
    content = bytearray((tmp_path / "train-labels.npy").read_bytes())
    content[-8] = 3
    (tmp_path / "train-labels.npy").write_bytes(content)
    with pytest.raises(DataError, match="labels from 0 to 3, of 3 classes"):
        open_prepared(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"version": 1', '"version": 2', "format 2, and this netspec reads 1"),
        ('"train": 6', '"train": 7', r"it holds uint8 \[6, 4, 5, 3\], and not uint8 \[7, 4, 5, 3\]"),
        ('"channels": 3', '"channels": "3"', "it is damaged"),
        ('"mean-image.npy"', '"../mean-image.npy"', "it is damaged"),
        ('"train": 6', '"../train": 6', "it is damaged"),
        ("{", "", "no JSON"),
    ],
)
def test_a_changed_manifest_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    written(tmp_path)
    path = tmp_path / MANIFEST
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=reason):
        open_prepared(tmp_path)


@pytest.mark.parametrize("text", ["[]", "null", '{"version": 1}', "[" * 100_000, '{"contents": [], "origin": 3}'])
def test_other_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DataError, match="it is damaged"):
        open_prepared(tmp_path)


def test_the_manifest_says_what_is_there(tmp_path: Path) -> None:
    data = written(tmp_path)
    contents = json.loads((tmp_path / MANIFEST).read_text())["contents"]
    assert contents["size"] == [4, 5]
    assert contents["counts"] == {"train": 6, "test": 3}
    assert contents["statistics"]["of"] == "train"
    assert contents["statistics"]["mean_color"] == data.statistics.mean_color.tolist()
