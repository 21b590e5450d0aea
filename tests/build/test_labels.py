"""Class names: from the spec, from a file beside it, from --labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.diagnostics import SpecError
from netspec.labels import read_labels
from netspec.pipeline import Compiled
from netspec_runtime.errors import DataError
from tests.build.nets import ONE, compiled

FIVE = ("ant", "bee", "cat", "dog", "elk")


def net(labels: str = "") -> Compiled:
    return compiled(ONE.replace("classes: 5", f"classes: 5\nlabels: {labels}") if labels else ONE)


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    (tmp_path / "names.txt").write_text("\n".join(FIVE) + "\n")
    return tmp_path


def test_no_labels(tmp_path: Path) -> None:
    assert read_labels(net(), tmp_path, None) == ()


def test_a_list_in_the_spec(tmp_path: Path) -> None:
    assert read_labels(net("[ant, bee, cat, dog, elk]"), tmp_path, None) == FIVE


def test_a_file_beside_the_spec(beside: Path) -> None:
    assert read_labels(net("names.txt"), beside, None) == FIVE


@pytest.mark.parametrize("labels", ["", "[a, b, c, d, e]", "none.txt"])
def test_a_file_on_the_command_line_wins(labels: str, beside: Path, tmp_path: Path) -> None:
    assert read_labels(net(labels), tmp_path / "elsewhere", beside / "names.txt") == FIVE


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfant\r\nbee\r\ncat\r\ndog\r\nelk", b"  ant \n\nbee\ncat\t\ndog\nelk\n\n\n"],
    ids=["of Windows", "with blanks"],
)
def test_files_of_other_editors(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes(content)
    assert read_labels(net("names.txt"), tmp_path, None) == FIVE


def test_names_may_be_of_any_language(tmp_path: Path) -> None:
    names = ("Ameise", "蜂", "кот", "a b c", "é")
    (tmp_path / "names.txt").write_text("\n".join(names), encoding="utf-8")
    assert read_labels(net("names.txt"), tmp_path, None) == names


@pytest.mark.parametrize("labels", ["[ant, bee]", "names.txt"])
def test_another_number_than_classes_points_at_the_key(labels: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("ant\nbee\n")
    made = net(labels)
    with pytest.raises(SpecError) as caught:
        read_labels(made, tmp_path, None)
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("NS605", "2 labels for 5 outputs")
    assert found.span == made.spec.spans.value("labels")
    assert found.span.text == labels


def test_what_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes(b"ant\nb\xe9e\n")
    with pytest.raises(DataError, match=r"names.txt: these labels are not UTF-8 text; one name a line"):
        read_labels(net("names.txt"), tmp_path, None)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"names.txt: cannot read labels: No such file or directory; check the path"):
        read_labels(net("names.txt"), tmp_path, None)
    with pytest.raises(DataError, match="cannot read labels: Is a directory"):
        read_labels(net(), tmp_path, tmp_path)


@pytest.mark.parametrize("letter", ["a", "é", "蜂"])
def test_a_file_far_too_large_is_not_read(letter: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text(letter * (1 << 22) + "a", encoding="utf-8")
    with pytest.raises(DataError, match=r"a file of more than 4,194,304 bytes"):
        read_labels(net("names.txt"), tmp_path, None)
