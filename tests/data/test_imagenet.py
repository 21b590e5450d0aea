"""ImageNet as it is downloaded: a tar of tars, a tar, and a devkit with a MATLAB file. All are written here, small."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec_runtime.data.find import find_source
from netspec_runtime.data.open import open_prepared
from netspec_runtime.data.prepare import Options
from netspec_runtime.data.readers.matfile import MatError, read_mat
from netspec_runtime.errors import DataError
from tests.data.raw import encoded, mat, noise, tar
from tests.data.test_prepare import run
from tests.data.test_readers import check_pixels, listed

# The devkit's order is not that of the ids; the last one is no leaf.
SYNSETS = [
    ("n01614925", "bald eagle, American eagle", 0),
    ("n01440764", "tench, Tinca tinca", 0),
    ("n01443537", "goldfish", 0),
    ("n00001740", "entity", 2),
]
TRUTH = (2, 1, 3, 2)  # numbers in the devkit's order
CLASSES = ("n01440764 tench, Tinca tinca", "n01443537 goldfish", "n01614925 bald eagle, American eagle")


def devkit_files() -> dict[str, bytes]:
    rows: list[dict[str, str | float]] = [
        {"ILSVRC2012_ID": number, "WNID": wnid, "words": words, "gloss": "", "num_children": children}
        for number, (wnid, words, children) in enumerate(SYNSETS, 1)
    ]
    truth = "".join(f"{number}\n" for number in TRUTH)
    return {
        "ILSVRC2012_devkit_t12/data/meta.mat": mat("synsets", rows),
        "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": truth.encode(),
    }


def write_imagenet(root: Path) -> Path:
    inner = {
        "n01614925": {"n01614925_7.JPEG": 1},
        "n01440764": {"n01440764_9.JPEG": 2, "n01440764_10.JPEG": 3},
        "n01443537": {"n01443537_1.JPEG": 4},
    }
    tars = {f"{wnid}.tar": tar({name: encoded(seed) for name, seed in f.items()}) for wnid, f in inner.items()}
    (root / "ILSVRC2012_img_train.tar").write_bytes(tar(tars))
    pictures = {f"ILSVRC2012_val_0000000{n}.JPEG": encoded(10 + n) for n in (3, 1, 2, 4)}
    (root / "ILSVRC2012_img_val.tar").write_bytes(tar(pictures))
    (root / "ILSVRC2012_devkit_t12.tar").write_bytes(tar(devkit_files()))
    return root


def test_the_tars(tmp_path: Path) -> None:
    source = find_source([write_imagenet(tmp_path)])
    assert source.classes == CLASSES
    assert listed(source, "train") == [
        ("n01440764/n01440764_10.JPEG", CLASSES[0]),
        ("n01440764/n01440764_9.JPEG", CLASSES[0]),
        ("n01443537/n01443537_1.JPEG", CLASSES[1]),
        ("n01614925/n01614925_7.JPEG", CLASSES[2]),
    ]
    check_pixels(source, "train", [3, 2, 4, 1])
    assert [name for _, name in listed(source, "test")] == [CLASSES[0], CLASSES[2], CLASSES[1], CLASSES[0]]
    check_pixels(source, "test", [11, 12, 13, 14])


def test_the_tars_prepared(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    data = open_prepared(run(write_imagenet(tmp_path / "raw"), tmp_path / "out", Options()).path)
    assert np.array_equal(data.splits["train"].images[3], noise(1)[:, 2:22])
    assert data.splits["test"].labels.tolist() == [0, 2, 1, 0]


def test_files_named_one_by_one_and_an_unpacked_devkit(tmp_path: Path) -> None:
    write_imagenet(tmp_path)
    packed = tmp_path / "ILSVRC2012_devkit_t12.tar"
    packed.unlink()
    for name, content in devkit_files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    parts = ["ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12"]
    assert find_source([tmp_path / part for part in parts]).classes == CLASSES
    assert find_source([tmp_path]).classes == CLASSES


def test_training_pictures_alone(tmp_path: Path) -> None:
    path = write_imagenet(tmp_path) / "ILSVRC2012_img_train.tar"
    source = find_source([path])
    assert source.classes == ("n01440764", "n01443537", "n01614925")
    assert source.notes == ("there is no validation tar, so no test split",)
    words = tmp_path / "synset_words.txt"
    words.write_text("\n".join(CLASSES))
    assert find_source([path, words]).classes == CLASSES
    words.write_bytes(b"n01440764 caf\xe9\n")  # no UTF-8
    assert find_source([path, words]).classes[0] == "n01440764 caf\ufffd"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    write_imagenet(tmp_path)
    with pytest.raises(DataError, match="its labels are in the devkit, which is missing"):
        find_source([tmp_path / "ILSVRC2012_img_val.tar"])
    (tmp_path / "ILSVRC2012_img_val.tar").write_bytes(tar({"ILSVRC2012_val_00000001.JPEG": encoded(1)}))
    with pytest.raises(DataError, match="1 pictures, and 4 labels in the devkit"):
        find_source([tmp_path])
    (tmp_path / "ILSVRC2012_devkit_t12.tar").write_bytes(tar({"readme.txt": b""}))
    with pytest.raises(DataError, match=r"no meta\.mat and ground truth in it"):
        find_source([tmp_path])


@pytest.mark.parametrize("compressed", [True, False])
def test_a_matlab_file(compressed: bool) -> None:
    rows: list[dict[str, str | float]] = [{"name": "Ä, b", "x": 1.5}, {"name": "", "x": -2.0}]
    found = read_mat(mat("things", rows, compressed=compressed))
    assert found == {"things": [{"name": "Ä, b", "x": [1.5]}, {"name": "", "x": [-2.0]}]}


@given(st.integers(0, 2000), st.binary(max_size=8), st.booleans())
def test_damaged_matlab_files_are_refused_or_read(place: int, patch: bytes, cut: bool) -> None:
    content = mat("things", [{"name": "abc", "x": 1.5, "y": 2.0}] * 3, compressed=False)
    place %= len(content)
    with contextlib.suppress(MatError):
        read_mat(content[:place] + patch + (b"" if cut else content[place + len(patch) :]))
