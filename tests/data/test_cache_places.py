"""Where `train` and `eval` prepare raw pictures that lie around the folder for that. What it is: test_prepare.py."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from netspec_runtime.data.prepare import Options, cache_folder, ensure_prepared
from netspec_runtime.errors import DataError
from tests.data.raw import write_folder
from tests.data.test_prepare_command import run
from tests.experiment.made import NET

CACHE = Path("data")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a name that a shell would take apart."""
    folder = tmp_path / "my pics"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def ensured(path: Path, options: Options) -> Path:
    return ensure_prepared(path, CACHE, options, lambda done, of, bad: None).path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("path", "cache"),
    [("raw", "data"), ("data", "prepared"), ("data/raw", "data"), ("raw/../data", "prepared"), ("link", "prepared")],
)
def test_a_cache_never_lies_in_the_pictures(path: str, cache: str, here: Path) -> None:
    for folder in ("raw", "data/raw"):
        write_folder(here / folder, {"a": 2, "b": 2})
    (here / "link").symlink_to("data")
    found = cache_folder(Path(path), CACHE, Options())
    assert found.parent == Path(cache)
    assert found.name == cache_folder(Path(path), here / "elsewhere", Options()).name
    assert ensured(Path(path), Options(side=8)).parent == Path(cache)


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        (Options(side=8, grey=False), ["--size", "8"]),
        (Options(stretch=(6, 8), grey=True, holdout=0.5), ["--stretch", "6x8", "--grey", "--holdout", "0.5"]),
    ],
)
def test_pictures_around_the_current_folder(options: Options, flags: list[str], here: Path) -> None:
    """The command that is named prepares them, in sum."""
    write_folder(here, {"a": 2, "b": 2})
    beside = Path(os.pardir) / "my pics-prepared"
    for path, out in ((Path(), beside), (here, here.with_name(beside.name))):
        with pytest.raises(DataError) as refused:
            ensured(path, options)
        said = f"{path}: its pictures cannot be prepared in data or prepared, which lie among them; run `"
        assert str(refused.value).startswith(said)
        command, then = str(refused.value).removeprefix(said).split("` first, then this with `")
        assert shlex.split(command) == ["netspec", "prepare", str(path), "-o", str(out), *flags]
        assert shlex.split(then.removesuffix("`")) == ["--data", str(out)]
    assert names(here) == ["a", "b"]


@pytest.mark.slow
def test_train_and_eval_of_a_folder_called_data(here: Path) -> None:
    """No option has to name a place; eval splits the pictures as train did."""
    write_folder(here / "data", {"a": 20, "b": 20})
    spec = NET.replace("classes: 10", "classes: 2").replace("outputs: 10", "outputs: 2")
    (here / "tiny.yaml").write_text(spec, encoding="utf-8")
    done = run("tiny.yaml", "--data", "data", "--set", "train.epochs=1", command="train", cwd=here)
    assert done.returncode == 0, done.stderr
    (prepared,) = (here / "prepared").iterdir()
    assert f"the pictures are prepared in prepared/{prepared.name}" in done.stderr
    done = run("runs/tiny", "--data", "data", command="eval", cwd=here)
    assert done.returncode == 0, done.stderr
    assert "data: split as it was to learn from it" in done.stderr
    assert names(here) == ["data", "prepared", "runs", "tiny.yaml"]
    assert names(here / "data") == ["a", "b"]
