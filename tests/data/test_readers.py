"""Each form of raw data, written small and real: which pictures, splits, classes and labels are found in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from netspec_runtime.card import Channels
from netspec_runtime.data.find import find_source
from netspec_runtime.data.open import open_prepared
from netspec_runtime.data.prepare import Options
from netspec_runtime.data.prepared import UNLABELLED
from netspec_runtime.data.source import Source
from netspec_runtime.errors import DataError
from tests.data.raw import encoded, idx, noise, tar, write_cifar10, write_folder
from tests.data.test_prepare import run


def listed(source: Source, split: str) -> list[tuple[str, str | None]]:
    """Name and class of each picture."""
    pictures = source.splits[split]
    names = map(pictures.name, range(len(pictures)))
    classes = (None if label == UNLABELLED else source.classes[label] for label in pictures.labels)
    return list(zip(names, classes, strict=True))


def check_pixels(source: Source, split: str, seeds: list[int]) -> None:
    """The pictures are those drawn with these seeds."""
    pictures = source.splits[split]
    assert len(pictures) == len(seeds)
    for index, seed in enumerate(seeds):
        assert np.array_equal(np.asarray(pictures.picture(index, Channels.RGB)), noise(seed))


def test_class_folders(tmp_path: Path) -> None:
    write_folder(tmp_path, {"b": 1, "a": 2})
    (tmp_path / "a" / "deeper").mkdir()
    (tmp_path / "a" / "deeper" / "x.png").write_bytes(encoded(9))
    (tmp_path / "stray.png").write_bytes(encoded(9))
    (tmp_path / ".DS_Store").write_bytes(b"")
    source = find_source([tmp_path])
    assert listed(source, "train") == [
        ("a/000.png", "a"),
        ("a/001.png", "a"),
        ("a/deeper/x.png", "a"),
        ("b/000.png", "b"),
    ]
    assert [(bad.name, bad.reason) for bad in source.bad] == [("stray.png", "it lies in no class's folder")]
    assert source.unsplit


@pytest.mark.parametrize("test", ["val", "test", "Validation"])
def test_folders_with_splits(tmp_path: Path, test: str) -> None:
    write_folder(tmp_path / "train", {"a": 1, "b": 1})
    write_folder(tmp_path / test, {"b": 1, "c": 1})
    source = find_source([tmp_path])
    assert source.classes == ("a", "b", "c")
    assert listed(source, "train") == [("train/a/000.png", "a"), ("train/b/000.png", "b")]
    assert listed(source, "test") == [(f"{test}/b/000.png", "b"), (f"{test}/c/000.png", "c")]
    assert list(source.splits) == ["train", "test"]
    assert not source.unsplit


def test_val_is_preferred_to_test_and_it_is_said(tmp_path: Path) -> None:
    for name in ("train", "val", "test"):
        write_folder(tmp_path / name, {"a": 1})
    source = find_source([tmp_path])
    assert listed(source, "test") == [("val/a/000.png", "a")]
    assert source.notes == ("test/ is left out: val/ has the test pictures",)


def test_a_second_folder_of_training_pictures_is_said(tmp_path: Path) -> None:
    for name in ("training", "train"):
        write_folder(tmp_path / name, {"a": 1})
    source = find_source([tmp_path])
    assert listed(source, "train") == [("train/a/000.png", "a")]
    assert source.notes == ("training/ is left out: train/ has the training pictures",)


def test_other_folders_beside_the_splits_are_said(tmp_path: Path) -> None:
    write_folder(tmp_path, {"train": 0, "plane": 1})
    write_folder(tmp_path / "train", {"a": 1})
    assert find_source([tmp_path]).notes == ("plane/ is left out: its name is no split's",)


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)  # tests may run as root, who may read everything
    with pytest.raises(DataError, match="Permission denied; check its permissions"):
        find_source([tmp_path])


def test_flat_photos_have_the_class_of_their_name(tmp_path: Path) -> None:
    for number, name in enumerate(["n02_x.png", "n01491361.png", "n01491361_1.png", "n01534433-b.png", "x.png"]):
        (tmp_path / name).write_bytes(encoded(number))
    assert listed(find_source([tmp_path]), "train") == [
        ("n01491361.png", "n01491361"),
        ("n01491361_1.png", "n01491361"),
        ("n01534433-b.png", "n01534433"),
        ("n02_x.png", None),
        ("x.png", None),
    ]


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("none")
    with pytest.raises(DataError, match="no pictures in this folder"):
        find_source([tmp_path])


def test_cifar10(tmp_path: Path) -> None:
    images, labels = write_cifar10(tmp_path / "raw" / "cifar-10-batches-bin", 4)
    for root in (tmp_path / "raw", tmp_path / "raw" / "cifar-10-batches-bin"):
        source = find_source([root])
        assert source.classes == tuple("abcdefghij")
        assert source.kind == "CIFAR-10 binary batches"
    data = open_prepared(run(tmp_path / "raw", tmp_path / "out", Options()).path)
    assert np.array_equal(data.splits["train"].images, images[:20])
    assert np.array_equal(data.splits["test"].images, images[20:])
    assert np.array_equal(np.concatenate([data.splits[s].labels for s in ("train", "test")]), labels)


def test_a_missing_and_a_damaged_batch(tmp_path: Path) -> None:
    write_cifar10(tmp_path, 2)
    (tmp_path / "data_batch_4.bin").unlink()
    assert find_source([tmp_path]).notes == ("data_batch_4.bin is missing",)
    (tmp_path / "batches.meta.txt").write_bytes(b"caf\xe9\n" * 10)  # no UTF-8
    assert find_source([tmp_path]).classes == ("caf\ufffd",) * 10
    (tmp_path / "data_batch_2.bin").write_bytes(b"\x01" * 3074)
    with pytest.raises(DataError, match="3,074 bytes are no whole number of records of 3073"):
        find_source([tmp_path])
    (tmp_path / "data_batch_2.bin").write_bytes(b"\x0a" * 3073)
    with pytest.raises(DataError, match="label 10 of 10 classes"):
        find_source([tmp_path])


def test_cifar100_has_its_fine_labels(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    records = [bytes([coarse, 90 + coarse]) + images[coarse].transpose(2, 0, 1).tobytes() for coarse in range(3)]
    (tmp_path / "train.bin").write_bytes(b"".join(records[:2]))
    (tmp_path / "test.bin").write_bytes(records[2])
    (tmp_path / "fine_label_names.txt").write_text("\n".join(f"fine{number}" for number in range(100)))
    source = find_source([tmp_path])
    assert [name for _, name in listed(source, "train")] == ["fine90", "fine91"]
    assert [name for _, name in listed(source, "test")] == ["fine92"]
    assert np.array_equal(np.asarray(source.splits["test"].picture(0, Channels.RGB)), images[2])


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("joint", ["-", "."])
def test_idx(tmp_path: Path, zipped: bool, joint: str) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    generator = np.random.default_rng(0)
    images, labels = generator.integers(0, 256, (5, 28, 27), np.uint8), np.array([0, 3, 2, 1, 3], np.uint8)
    for stem, part in (("train", slice(0, 3)), ("t10k", slice(3, 5))):
        end = ".gz" * zipped
        (raw / f"{stem}-images{joint}idx3-ubyte{end}").write_bytes(idx(images[part], zipped=zipped))
        (raw / f"{stem}-labels{joint}idx1-ubyte{end}").write_bytes(idx(labels[part], zipped=zipped))
    data = open_prepared(run(raw, tmp_path / "idx-out", Options()).path)
    assert (data.size, data.channels, data.classes) == ((28, 27), 1, ("0", "1", "2", "3"))
    assert np.array_equal(data.splits["train"].images[..., 0], images[:3])
    assert np.array_equal(data.splits["test"].labels, labels[3:])
    colours = open_prepared(run(raw, tmp_path / "rgb", Options(grey=False)).path)
    assert np.array_equal(colours.splits["test"].images, np.repeat(images[3:, :, :, None], 3, axis=3))


def test_damaged_idx(tmp_path: Path) -> None:
    images = idx(np.zeros((2, 3, 3), np.uint8), zipped=False)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(images)
    with pytest.raises(DataError, match="no file of labels beside it"):
        find_source([tmp_path])
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(3, np.uint8), zipped=False))
    with pytest.raises(DataError, match="3 labels of 2 pictures"):
        find_source([tmp_path])
    path.write_bytes(images[:-1])
    with pytest.raises(DataError, match="17 bytes of data, and not"):
        find_source([tmp_path])
    path.write_bytes(idx(np.zeros((3, 0, 3), np.uint8), zipped=False))
    with pytest.raises(DataError, match=r"no pixels in pictures of \[3, 0, 3\]"):
        find_source([tmp_path])
    path.write_bytes(b"\0\0\x0d\x03" + images[4:])
    with pytest.raises(DataError, match="no idx file of bytes"):
        find_source([tmp_path])


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        *((folder, "Ankle boot") for folder in ("fashion-mnist", "FashionMNIST/raw", "my_fashion_mnist_1", "fashion")),
        *((folder, "9") for folder in ("fashion-shop/mnist", "fashion/mnist", "fashion-mnist/a/b", "old-fashioned")),
    ],
)
def test_fashion_mnist_has_names(folder: str, name: str, tmp_path: Path) -> None:
    root = tmp_path / folder
    root.mkdir(parents=True)
    (root / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((1, 3, 3), np.uint8), zipped=False))
    (root / "train-labels-idx1-ubyte").write_bytes(idx(np.full(1, 9, np.uint8), zipped=False))
    assert listed(find_source([root]), "train") == [("train/0", name)]


def test_table(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for seed in range(4):
        (tmp_path / "pictures" / f"{seed}.png").write_bytes(encoded(seed))
    lines = ["path,label,split", *(f"pictures/{n},{label},{split}" for n, label, split in (
        ("2.png", "cat", "train"), ("0.png", '"dog, big"', "val"), ("1.png", "", "train"), ("3.png", "bee", "test"),
        ("none.png", "cat", "train"),
    ))]  # fmt: skip
    (tmp_path / "list.csv").write_text("\n".join(lines))
    source = find_source([tmp_path / "list.csv"])
    assert source.classes == ("cat", "dog, big")
    assert listed(source, "train") == [("pictures/2.png", "cat"), ("pictures/1.png", None)]
    assert listed(source, "test") == [("pictures/0.png", "dog, big")]
    assert [(bad.name, bad.reason) for bad in source.bad] == [("pictures/none.png", "No such file or directory")]
    assert source.notes == (
        "the lines of split test are left out: val has the test pictures",
        "class cat with train pictures only",
        "class dog, big with test pictures only",
    )
    check_pixels(source, "train", [2, 1])


def test_table_of_numbers_without_header(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(0))
    (tmp_path / "list.csv").write_text("a.png,07\na.png,2\n\n")
    source = find_source([tmp_path / "list.csv"])
    assert source.classes == tuple("01234567")
    assert source.splits["train"].labels.tolist() == [7, 2]
    assert source.unsplit


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"path,label\n", "it has no line with a picture"),
        (b"a.png\n", "line 1 has 1 column; write path,label"),
        (b"a.png,b,train,c\n", "line 1 has 4 columns; write path,label"),
        (b"path,label\na.png,b, c\n", 'line 2 has 3 columns; write 2 as in the header, and what has a comma in "..."'),
        (b"id,path,label\n1,a.png\n", "line 2 has 2 columns; write 3 as in the header"),
        (b"path,label,split\na.png,b,x\n", "line 2 has a split called 'x'"),
        (b"path,label\n,b\n", "line 2 has no path; write 2 as in the header"),
        (b"path;label\na.png;b\n", "line 1 has semicolons and no comma; separate path and label by commas"),
        (b"path,label\na.png\tb\n", "line 2 has tabs and no comma; separate path and label by commas"),
        (b'"a\n.png",b,val\na.png,b,holiday\n', "line 3 has a split called 'holiday'"),
        (b"a.png,b,train\na.png,b,\n", "line 2 has no split"),
        (b"none.png,b\n", "none of its files is there"),
        (b"a\xff.png,b\n", r"no \.csv in UTF-8"),
    ],
)
def test_wrong_tables(tmp_path: Path, text: bytes, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(0))
    (tmp_path / "list.csv").write_bytes(text)
    with pytest.raises(DataError, match=reason):
        find_source([tmp_path / "list.csv"])


def shard(samples: dict[str, tuple[int, str]]) -> bytes:
    """A tar of samples: name to the seed of the picture and the class."""
    files = ((f"{name}.png", encoded(seed)) if kind else (f"{name}.cls", label.encode())
             for name, (seed, label) in samples.items() for kind in (1, 0))  # fmt: skip
    return tar(dict(files))


def test_webdataset(tmp_path: Path) -> None:
    (tmp_path / "train-000000.tar").write_bytes(shard({"x/0": (1, "3"), "x/1": (2, "0")}))
    files = {"a.cls": b"1", "b.txt": b"", "c.cls": b"\xff", **{f"{name}.png": encoded(3) for name in "acd"}}
    (tmp_path / "train-000001.tar").write_bytes(tar(dict(sorted(files.items()))))
    for split in ("val", "test"):
        (tmp_path / f"{split}-000000.tar").write_bytes(shard({"y": (5, "2")}))
    (tmp_path / "info.json").write_text("{}")
    source = find_source([tmp_path])
    assert source.classes == tuple("0123")
    assert listed(source, "train") == [
        ("train-000000.tar/x/0.png", "3"),
        ("train-000000.tar/x/1.png", "0"),
        ("train-000001.tar/a.png", "1"),
    ]
    assert listed(source, "test") == [("val-000000.tar/y.png", "2")]
    check_pixels(source, "test", [5])
    assert source.notes[0] == "the shards called test are left out: val has the test pictures"
    assert [(bad.name, bad.reason) for bad in source.bad] == [
        ("train-000001.tar/b", "a sample without a picture"),
        ("train-000001.tar/c.png", "its label cannot be read"),
        ("train-000001.tar/d.png", "no cls says its label"),
    ]


@pytest.mark.parametrize("cls", [False, True])
def test_labels_of_a_json_count_where_no_sample_has_a_cls(tmp_path: Path, cls: bool) -> None:
    labels = {"a.json": json.dumps({"label": 1}).encode(), "b.json": b"[" * 100_000, "d.json": b'{"class": 0}'}
    files = {**labels, **({"d.cls": b"7"} if cls else {}), **{f"{name}.png": encoded(1) for name in "abcd"}}
    (tmp_path / "0.tar").write_bytes(tar(dict(sorted(files.items()))))
    source = find_source([tmp_path])
    assert listed(source, "train") == ([("0.tar/d.png", "7")] if cls else [("0.tar/a.png", "1"), ("0.tar/d.png", "0")])
    assert [(bad.name, bad.reason) for bad in source.bad] == (
        [(f"0.tar/{name}.png", "no cls says its label") for name in "abc"]
        if cls
        else [("0.tar/b.png", "its label cannot be read"), ("0.tar/c.png", "no json says its label")]
    )


def test_webdataset_none_of_whose_labels_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "0.tar").write_bytes(tar({"a.cls": b"\xff", "a.png": encoded(1)}))
    with pytest.raises(DataError, match="no cls in these tars can be read"):
        find_source([tmp_path])


def test_webdataset_with_names_as_classes(tmp_path: Path) -> None:
    paths = []
    (tmp_path / "raw").mkdir()
    for number, label in enumerate(["dog", "cat"]):
        paths.append(tmp_path / "raw" / f"part{number}.tar")
        paths[-1].write_bytes(shard({"s": (number, label)}))
    source = find_source(paths)
    assert listed(source, "train") == [("part0.tar/s.png", "dog"), ("part1.tar/s.png", "cat")]
    check_pixels(source, "train", [0, 1])
    assert source.unsplit
    data = open_prepared(run(tmp_path / "raw", tmp_path / "out", Options()).path)
    assert np.array_equal(data.splits["train"].images[0], noise(0)[:, 2:22])


def test_a_compressed_or_cut_tar_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    for content in (b"\x1f\x8b" + b"x" * 1000, shard({"s": (1, "a")})[:700]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="no whole tar"):
            find_source([path])


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"")
    with pytest.raises(DataError, match="a file in no form that is read here"):
        find_source([tmp_path / "x.parquet"])
    with pytest.raises(DataError, match="no such file or folder"):
        find_source([tmp_path / "none"])
    with pytest.raises(DataError, match="several sources"):
        find_source([tmp_path, tmp_path])


def test_classes_that_a_split_lacks_are_said(tmp_path: Path) -> None:
    write_folder(tmp_path / "train", {"a": 1, "b": 1, "old": 1, "void": 0})
    write_folder(tmp_path / "val", {"a": 1, "b": 0, **{f"new{number}": 1 for number in range(5)}})
    (tmp_path / "val" / "b" / "readme.txt").write_text("none yet")
    source = find_source([tmp_path])
    assert source.classes == ("a", "b", "new0", "new1", "new2", "new3", "new4", "old")
    assert source.notes == (
        "train/void/ has no picture",
        "val/b/ has no picture",
        "classes b, old with train pictures only",
        "classes new0, new1, new2, ... (5) with test pictures only",
    )


def test_whole_numbers_without_pictures_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(1))
    (tmp_path / "list.csv").write_text("a.png,0\na.png,2\n")
    source = find_source([tmp_path / "list.csv"])
    assert (source.classes, source.notes) == (("0", "1", "2"), ("class 1 without pictures",))


def test_splits_with_the_same_classes_need_no_note(tmp_path: Path) -> None:
    write_folder(tmp_path / "train", {"a": 1, "b": 1})
    write_folder(tmp_path / "val", {"a": 1, "b": 1})
    assert find_source([tmp_path]).notes == ()
