"""The output folder: what may be replaced, what never is, and what is left after an interruption."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from netspec.output import MANIFEST, OutputFolder
from netspec_runtime.errors import DataError


def folder(path: Path, force: bool = False, inputs: tuple[Path, ...] = ()) -> OutputFolder:
    made = OutputFolder(path, "hash", force, inputs)
    made.open()
    return made


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder with `net.py` of an earlier build."""
    folder(tmp_path / "out").write("net.py", "old\n")
    return tmp_path / "out"


def refusal(out: OutputFolder, name: str) -> str:
    before = {entry: entry.read_bytes() for entry in out.path.iterdir() if entry.is_file()}
    with pytest.raises(DataError) as caught:
        out.reserve(name)
    assert {entry: entry.read_bytes() for entry in out.path.iterdir() if entry.is_file()} == before
    assert caught.value.where == str(out.path / name)
    return f"{caught.value.reason}; {caught.value.fix}"


def test_a_build_replaces_its_own_files(built: Path) -> None:
    again = folder(built)
    again.reserve("net.py")
    again.write("net.py", "new\n")
    assert (built / "net.py").read_bytes() == b"new\n"
    assert names(built) == [MANIFEST, "net.py"]


def test_a_foreign_file_is_refused(built: Path) -> None:
    (built / "graph.svg").write_text("mine")
    reason = "it exists and netspec did not write it; move it away, or add --force"
    assert refusal(folder(built), "graph.svg") == reason


def test_a_changed_file_is_refused(built: Path) -> None:
    (built / "net.py").write_text("changed")
    reason = "it was changed since netspec wrote it; keep your copy elsewhere, or add --force"
    assert refusal(folder(built), "net.py") == reason


def test_a_large_file_that_keeps_its_size_is_still_seen_as_changed(tmp_path: Path) -> None:
    large = tmp_path / "out" / "net.onnx"
    with (tmp_path / "made").open("wb") as file:
        file.truncate((1 << 24) + 1)
    folder(tmp_path / "out").install(tmp_path / "made", large)
    folder(tmp_path / "out").reserve("net.onnx")
    large.read_bytes()
    folder(tmp_path / "out").reserve("net.onnx")
    os.utime(large, ns=(0, large.stat().st_mtime_ns + 1))
    assert refusal(folder(tmp_path / "out"), "net.onnx").startswith("it was changed")


def test_force_replaces_foreign_and_changed_files(built: Path) -> None:
    (built / "net.py").write_text("changed")
    (built / "graph.svg").write_text("mine")
    forced = folder(built, force=True)
    forced.reserve("net.py", "graph.svg")
    forced.write("graph.svg", "ours")
    assert (built / "graph.svg").read_text() == "ours"
    folder(built).reserve("graph.svg")


def test_nothing_makes_a_build_replace_what_it_reads(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text("netspec: 1")
    for force in (False, True):
        reason = "this build reads that file; choose another folder with --out"
        assert refusal(folder(tmp_path, force, (spec, tmp_path / "gone")), "net.yaml") == reason


def test_a_folder_in_place_of_a_file_is_refused_even_with_force(built: Path) -> None:
    (built / "report.html").mkdir()
    assert refusal(folder(built, force=True), "report.html").startswith("there is a folder of this name")


@pytest.mark.parametrize("leads_to", ["outside", "nowhere", "copy"])
def test_a_link_is_foreign_and_is_replaced_itself(leads_to: str, built: Path, tmp_path: Path) -> None:
    """Even where it leads to just what netspec wrote."""
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "copy").write_text("old\n")
    (built / "net.py").unlink()
    (built / "net.py").symlink_to(tmp_path / leads_to)
    assert refusal(folder(built), "net.py").startswith("it exists and netspec did not write it")
    forced = folder(built, force=True)
    forced.reserve("net.py")
    forced.write("net.py", "new")
    assert not (built / "net.py").is_symlink()
    assert (built / "net.py").read_text() == "new"
    assert (tmp_path / "outside").read_text() == "mine"
    assert (tmp_path / "copy").read_text() == "old\n"
    assert not (tmp_path / "nowhere").exists()


def test_what_a_killed_build_left_is_no_obstacle_and_no_way_out(built: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    (built / f".net.py.{os.getpid()}.tmp").symlink_to(tmp_path / "outside")
    folder(built).write("net.py", "new")
    assert (tmp_path / "outside").read_text() == "mine"
    assert names(built) == [MANIFEST, "net.py"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"files": 3}', b'{"files": {"net.py": 1}, "spec": ""}', b"[" * 200_000],
)
def test_a_manifest_that_is_not_ours_is_not_replaced(content: bytes, built: Path) -> None:
    """Web pages have a file of that name too."""
    (built / MANIFEST).write_bytes(content)
    with pytest.raises(DataError, match=r"manifest\.json: it exists and netspec did not write it"):
        folder(built)
    assert (built / MANIFEST).read_bytes() == content
    forced = folder(built, force=True)
    forced.reserve("net.py")
    forced.write("net.py", "new")
    folder(built).reserve("net.py")


def test_without_its_manifest_a_build_knows_nothing(built: Path) -> None:
    (built / MANIFEST).unlink()
    assert refusal(folder(built), "net.py").startswith("it exists and netspec did not write it")


def test_an_interrupted_build_leaves_files_that_the_next_one_knows(tmp_path: Path) -> None:
    out = folder(tmp_path / "out")
    out.write("net.py", "half a build")
    again = folder(tmp_path / "out")
    again.reserve("net.py", "net.onnx")
    assert json.loads((tmp_path / "out" / MANIFEST).read_text())["spec"] == "hash"


def test_a_file_that_was_removed_is_forgotten(built: Path) -> None:
    (built / "net.py").unlink()
    folder(built).write("other.py", "")
    assert list(json.loads((built / MANIFEST).read_text())["files"]) == ["other.py"]
    (built / "net.py").write_text("old\n")
    assert refusal(folder(built), "net.py").startswith("it exists and netspec did not write it")


def test_discarding_takes_only_what_is_ours(built: Path) -> None:
    (built / "parity.json").write_text("mine")
    folder(built).discard("net.py", "parity.json", "none")
    assert names(built) == [MANIFEST, "parity.json"]


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    for path in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(DataError, match=r"cannot make the folder: .*; choose another with --out"):
            folder(path)


def test_a_write_that_fails_leaves_the_old_file(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    out = folder(built)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="cannot write: No space left on device; free some space"):
        out.write("net.py", "new")
    assert (built / "net.py").read_text() == "old\n"
    assert names(built) == [MANIFEST, "net.py"]
