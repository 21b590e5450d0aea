"""What `netspec prepare` and `train` say of data that are not for training, or not for this net, and when."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from netspec_runtime.data.check import check_prepared
from tests.data.raw import encoded, write_folder
from tests.data.test_prepare_command import run
from tests.experiment.made import NET

pytestmark = pytest.mark.slow

UNLABELLED = [f"{number}.png" for number in range(7)]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A flat folder: six pictures of a class, seven of none, one of which is broken."""
    root = tmp_path / "raw"
    root.mkdir()
    for number, name in enumerate([*UNLABELLED, *(f"n01491361_{i}.png" for i in range(6))]):
        (root / name).write_bytes(encoded(number))
    (root / UNLABELLED[6]).write_bytes(b"broken")
    return root


def train(*arguments: object, cwd: Path | None = None) -> tuple[int, str]:
    """Exit code and stderr."""
    done = run(*arguments, command="train", cwd=cwd)
    return done.returncode, done.stderr


def test_pictures_without_labels_are_named(tmp_path: Path, mixed: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):  # the second time, all is there
        done = run(mixed, "-o", out, "--size", 16)
        lines = done.stdout.splitlines()
        place = lines.index(f"  unlabelled  6, listed in {out / 'unlabelled.txt'}")
        assert [line.strip() for line in lines[place + 1 : place + 7]] == [*UNLABELLED[:5], "..."]
        assert "`netspec train` refuses pictures without labels" in lines[-1]
        assert "next:" not in done.stdout
    assert (out / "unlabelled.txt").read_text().splitlines() == UNLABELLED[:6]
    assert check_prepared(out).unlabelled("train") == 6
    for name in UNLABELLED:
        (mixed / name).unlink()
    assert run(mixed, "-o", out, "--size", 16, "--force").returncode == 0
    assert not (out / "unlabelled.txt").exists()


@pytest.mark.parametrize("lost", [(), ("0",)])
def test_classes_without_pictures_are_named_once(tmp_path: Path, lost: tuple[str, ...]) -> None:
    """Again where pictures that cannot be read leave more of them without."""
    for name in ("0", "3"):
        (tmp_path / f"{name}.png").write_bytes(b"broken" if name in lost else encoded(1))
    (tmp_path / "list.csv").write_text("0.png,0\n3.png,3\n")
    done = run(tmp_path / "list.csv", "-o", tmp_path / "out", "--size", 16, "--max-bad", ".5")
    notes = re.findall("^  note        (class.*)", done.stdout, re.MULTILINE)
    assert notes == ["classes 1, 2 without pictures", *["classes 0, 1, 2 without a training picture"] * len(lost)]


def test_nothing_has_a_label(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for number in range(3):
        (tmp_path / "raw" / f"{number}.png").write_bytes(encoded(number))
    done = run(tmp_path / "raw", "-o", tmp_path / "out", "--size", 16)
    assert "  unlabelled  3\n" in done.stdout
    assert "next:" not in done.stdout
    assert not (tmp_path / "out" / "unlabelled.txt").exists()


def test_train_names_what_has_no_label(tmp_path: Path, mixed: Path) -> None:
    spec = _spec(tmp_path, 1)
    code, said = train(spec, "--data", mixed, cwd=tmp_path)
    assert code == 4
    found = re.search(r"raw: 7 of its 13 pictures have no label: (.*), \.\.\.; take them out, or give", said)
    assert found is not None, said
    assert len(set(found.group(1).split(", ")) & set(UNLABELLED)) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw", "tiny.yaml"]
    assert run(mixed, "-o", tmp_path / "out", "--stretch", "32x32").returncode == 0
    code, said = train(spec, "--data", tmp_path / "out", cwd=tmp_path)
    assert code == 4
    assert "out: 6 of its 12 training pictures have no label (see its unlabelled.txt); take them out" in said


def test_raw_pictures_of_other_classes_are_refused_before_they_are_prepared(tmp_path: Path) -> None:
    write_folder(tmp_path / "raw", {"a": 2, "b": 2})
    code, said = train(_spec(tmp_path, 10), "--data", "raw", cwd=tmp_path)
    assert code == 4
    assert "raw: it has 2 classes, and the net tells 10 apart; use other data, or add --set classes=2" in said
    assert "--set layers.fc3.outputs=2" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw", "tiny.yaml"]


@pytest.mark.slow
def test_what_prepare_says_next_is_what_train_takes(tmp_path: Path) -> None:
    """Also with labels in the spec, and with an assignment that a shell would take apart."""
    write_folder(tmp_path / "raw", {"a": 40, "b": 40})
    _spec(tmp_path, 10, "labels: [a, b, c, d, e, f, g, h, i, j]")
    arguments = (
        "raw",
        "-o",
        "out",
        "--spec",
        "tiny.yaml",
        "--set",
        "train.epochs=1",
        "--set",
        "data.mean_color=[1, 2, 3]",
    )
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    warning, following = done.stdout.splitlines()[-2:]
    assert warning == "  warning     tiny.yaml tells 10 classes apart, and here are 2"
    words = shlex.split(following.removeprefix("next: netspec train "))
    code, said = train(*words, cwd=tmp_path)
    assert code == 0, said


def test_a_net_with_these_classes_gets_no_warning(tmp_path: Path) -> None:
    write_folder(tmp_path / "raw", {"a": 2, "b": 2})
    done = run("raw", "-o", "out", "--spec", _spec(tmp_path, 2), cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "next: netspec train tiny.yaml --data out"
    assert "warning" not in done.stdout


def test_data_without_test_pictures_say_so(tmp_path: Path) -> None:
    write_folder(tmp_path / "raw", {"a": 2, "b": 20})
    note = "no test pictures: `netspec train` goes by training errors; --holdout 0.1 sets some aside"
    for size in ("20x20", "20x24"):
        done = run("raw", "-o", size, "--stretch", size, cwd=tmp_path)
        assert done.stdout.count(note) == 1
        assert ("`data.resize: 20`" in done.stdout) == (size == "20x20")  # no `resize` gives the other
    assert note not in run("raw", "-o", "held", "--holdout", 0.3, cwd=tmp_path).stdout


def test_one_class_teaches_nothing(tmp_path: Path) -> None:
    write_folder(tmp_path / "raw", {"a": 2})
    said = run("raw", "-o", "out", "--spec", _spec(tmp_path, 10), cwd=tmp_path).stdout
    assert "  warning     one class alone teaches nothing: put the pictures of each class into a folder" in said
    code, said = train("tiny.yaml", "--data", "out", cwd=tmp_path)
    assert (code, "it has 1 class, and the net tells 10 apart; put the pictures of each class" in said) == (4, True)
    assert said.endswith("into a folder of its own, and give the folder that holds these\n")


def test_test_pictures_alone_are_for_eval(tmp_path: Path) -> None:
    write_folder(tmp_path / "raw" / "test", {"a": 2, "b": 2})
    done = run("raw", "-o", "out", cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "next: netspec eval MODEL --data out"


def _spec(folder: Path, classes: int, more: str = "") -> str:
    text = NET.replace("classes: 10", f"classes: {classes}\n{more}").replace("outputs: 10", f"outputs: {classes}")
    (folder / "tiny.yaml").write_text(text, encoding="utf-8")
    return "tiny.yaml"
