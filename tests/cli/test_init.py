"""`netspec init`: copies a built-in spec, never over a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.spec.shipped import shipped_specs
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_copy(netspec: Run, tmp_path: Path) -> None:
    done = netspec("init", "lenet")
    assert (done.code, done.err) == (0, "")
    assert done.out == "wrote lenet.yaml; next: netspec build lenet.yaml\n"
    assert (tmp_path / "lenet.yaml").read_bytes() == shipped_specs()["lenet"].read_bytes()


def test_every_copy_is_valid_where_it_lies(netspec: Run, tmp_path: Path) -> None:
    for name in shipped_specs():
        assert netspec("init", name, "-o", tmp_path / f"my-{name}.yaml").code == 0
    assert netspec("validate", *sorted(tmp_path.glob("*.yaml"))).code == 0


@pytest.mark.parametrize("arguments", [["init"], ["init", "--list"]])
def test_the_list(arguments: list[str], netspec: Run, tmp_path: Path) -> None:
    done = netspec(*arguments)
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == list(shipped_specs())
    assert "A small net for handwritten digits" in done.out or "a small net for handwritten digits" in done.out
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_stays(netspec: Run, tmp_path: Path) -> None:
    (tmp_path / "lenet.yaml").write_text("mine")
    done = netspec("init", "lenet")
    assert (done.code, done.out) == (4, "")
    assert done.err == "netspec: lenet.yaml: it exists already; choose another with --out\n"
    assert (tmp_path / "lenet.yaml").read_text() == "mine"


@pytest.mark.parametrize(("name", "advice"), [("lenett", "did you mean `lenet`?"), ("qqqqqqqq", "")])
def test_an_unknown_name(name: str, advice: str, netspec: Run) -> None:
    done = netspec("init", name)
    assert done.code == 1  # as that of a spec that is not there, in all commands
    assert done.err.startswith(f"error[NS101]: there is no built-in spec `{name}`\n")
    assert advice in done.err


def test_no_such_folder(netspec: Run) -> None:
    done = netspec("init", "lenet", "--out", "none/lenet.yaml")
    assert done.code == 4
    assert done.err == (
        "netspec: none/lenet.yaml: cannot write: No such file or directory; choose another with --out\n"
    )
