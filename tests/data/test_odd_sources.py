"""Raw data that are nearly in a form that is read: odd headers and names, archives, pickles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netspec_runtime.data.find import find_source
from netspec_runtime.errors import DataError
from tests.data.raw import encoded, write_folder
from tests.data.test_readers import listed


@pytest.mark.parametrize("header", ["path,label", "image name,species", "ID,Target", "\n\nImage,Class"])
def test_a_table_may_call_its_columns_anything(tmp_path: Path, header: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(0))
    (tmp_path / "list.csv").write_text(f"{header}\na.png,x\nID,x\n")
    source = find_source([tmp_path / "list.csv"])
    assert (source.classes, listed(source, "train")) == (("x",), [("a.png", "x")])
    assert [bad.name for bad in source.bad] == ["ID"]  # only a first line may be a header


@pytest.mark.parametrize("first", ["a.png", "plain", "gone.png"])
def test_a_first_line_of_a_file_is_no_header(tmp_path: Path, first: str) -> None:
    for name in ("a.png", "plain"):
        (tmp_path / name).write_bytes(encoded(0))
    (tmp_path / "list.csv").write_text(f"{first},y\na.png,x\n")
    source = find_source([tmp_path / "list.csv"])
    assert source.classes == ("x", "y")
    assert len(source) + len(source.bad) == 2


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("id,path,label\n7,a.png,x\n8,b.png,y\n", ["id"]),
        ("Label,PATH\nx,a.png\ny,b.png\n", []),
        (",file,width,class,note\n0,a.png,9,x,\n1,b.png,9,y\n", ["width", "note"]),
        ("path,label,width\na.png,x,9\nb.png,y,9,\n", ["width"]),
    ],
)
def test_columns_are_found_by_the_names_of_the_header(tmp_path: Path, text: str, ignored: list[str]) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encoded(0))
    (tmp_path / "list.csv").write_text(text)
    source = find_source([tmp_path / "list.csv"])
    assert (source.unsplit, listed(source, "train")) == (True, [("a.png", "x"), ("b.png", "y")])
    assert source.notes == tuple(f"the column {name} is ignored" for name in ignored)


@pytest.mark.parametrize("header", ["Split,label,id,path", "path,label,subset"])
def test_the_split_is_found_by_its_name_or_behind_path_and_label(tmp_path: Path, header: str) -> None:
    split = ("train", "val")
    cells = {"Split": split, "subset": split, "path": ("a.png", "b.png"), "label": "xx", "id": "12"}
    (tmp_path / "a.png").write_bytes(encoded(0))
    (tmp_path / "b.png").write_bytes(encoded(0))
    lines = [header, *(",".join(cells[name][row] for name in header.split(",")) for row in (0, 1))]
    (tmp_path / "list.csv").write_text("\n".join(lines))
    source = find_source([tmp_path / "list.csv"])
    assert (listed(source, "train"), listed(source, "test")) == ([("a.png", "x")], [("b.png", "x")])


def test_columns_the_wrong_way_round_are_seen_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(0))
    (tmp_path / "list.csv").write_text("species,picture\nx,a.png\n")
    with pytest.raises(DataError, match=r"none of its files is there, from the first on: x; .* each before its label"):
        find_source([tmp_path / "list.csv"])


def test_a_name_that_no_file_has_is_a_bad_one(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(0))
    (tmp_path / "list.csv").write_bytes(b"a.png,x\nb\0.png,x\n")
    source = find_source([tmp_path / "list.csv"])
    assert [(bad.name, bad.reason) for bad in source.bad] == [("b\0.png", "a NUL character in the name")]


def test_names_of_classes_are_text(tmp_path: Path) -> None:
    try:
        write_folder(tmp_path, {"a": 1, os.fsdecode(b"gr\xfcn"): 1})
    except OSError:
        pytest.skip("this file system has names in UTF-8 alone")
    assert find_source([tmp_path]).classes == ("a", r"gr\udcfcn")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("data_batch_1", "CIFAR as Python's pickles, .*; fetch its binary version, cifar-10-binary.tar.gz"),
        ("cifar-10-batches-py/data_batch_1", "cifar-10-binary.tar.gz"),
        ("cifar-100-python/meta", "cifar-100-binary.tar.gz"),
        ("train-0.tar.gz", "no pictures in this folder, but archives: train-0.tar.gz; unpack them"),
        ("labels.csv", "no pictures in this folder, but labels.csv; give .*/labels.csv"),
        ("train-images.npy", "prepared data that lack their prepared.json"),
        ("readme.md", "no pictures in this folder; give a folder with a folder of pictures for each class"),
    ],
)
def test_why_a_folder_has_no_pictures(tmp_path: Path, file: str, reason: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_bytes(b"x")
    with pytest.raises(DataError, match=reason):
        find_source([tmp_path])


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "pictures.ZIP").write_bytes(b"PK")
    with pytest.raises(DataError, match="an archive, which is not read as it is; unpack it"):
        find_source([tmp_path / "pictures.ZIP"])
