"""Arguments become paths, in an order that does not depend on the file system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netspec_runtime.errors import DataError
from netspec_runtime.sources import find_pictures


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.jpg", "a.PNG", "notes.txt", "sub/c.webp", "sub/deep/d.jpeg", "empty/readme.md", "sub/x[1].gif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*arguments: str) -> list[str]:
    return [
        f"{item.where}: {item.reason}" if isinstance(item, DataError) else item for item in find_pictures(arguments)
    ]


def test_a_folder_is_read_to_the_bottom_and_sorted(tree: Path) -> None:
    assert found(".") == ["a.PNG", "b.jpg", "sub/c.webp", "sub/x[1].gif", "sub/deep/d.jpeg"]
    assert found(str(tree / "sub"))[0] == str(tree / "sub" / "c.webp")


def test_a_file_is_taken_whatever_it_is_called(tree: Path) -> None:
    assert found("notes.txt", "missing.jpg", "b.jpg") == ["notes.txt", "missing.jpg", "b.jpg"]
    assert tree.is_dir()


@pytest.mark.usefixtures("tree")
def test_globs() -> None:
    assert found("*.jp*g") == ["b.jpg"]
    assert found("**/*.jp*g") == ["b.jpg", "sub/deep/d.jpeg"]
    assert found("sub/x[1].gif") == ["sub/x[1].gif"]  # a file of that name comes first
    assert found("*.bmp") == ["*.bmp: no file matches"]
    assert found("s*") == ["s*: no file matches"]  # a folder is no file


@pytest.mark.usefixtures("tree")
def test_an_empty_folder() -> None:
    assert found("empty", "b.jpg") == ["empty: no pictures in this folder", "b.jpg"]


def test_hidden_files_and_folders_are_passed_over(tree: Path) -> None:
    (tree / "empty" / ".hidden").mkdir()
    for name in ("._b.jpg", ".hidden/c.jpg", "shown.jpg"):
        (tree / "empty" / name).touch()
    assert found("empty") == ["empty/shown.jpg"]
    assert found("empty/.hidden") == ["empty/.hidden/c.jpg"]
    assert found("empty/._b.jpg") == ["empty/._b.jpg"]


def test_a_pipe_is_read_only_where_it_is_named(tree: Path) -> None:
    os.mkfifo(tree / "empty" / "z.png")
    (tree / "empty" / "nowhere.png").symlink_to("none")
    assert found("empty") == ["empty/nowhere.png", "empty/z.png: a special file"]
    assert found("empty/z*") == ["empty/z.png: a special file"]
    assert found("empty/z.png") == ["empty/z.png"]


def test_standard_input_has_one_picture() -> None:
    assert found("-") == ["-"]
    assert found("-", "-") == ["-", "-: standard input has only one picture"]


def test_links_in_circles(tree: Path) -> None:
    (tree / "sub" / "loop").symlink_to(tree)
    assert len(found(".")) == 5


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read(tree: Path) -> None:
    (tree / "sub").chmod(0)
    assert "sub: Permission denied" in found(".")
    (tree / "sub").chmod(0o755)
