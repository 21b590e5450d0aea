"""`netspec prepare` as a user meets it: output, exit codes, Ctrl-C. test_prepare.py has the arrays."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netspec.cli.prepare import preparing
from netspec_runtime.data.check import check_prepared
from netspec_runtime.data.open import is_prepared, open_prepared
from tests.data.raw import encoded, write_cifar10, write_folder
from tests.data.test_prepare import contents

pytestmark = pytest.mark.slow

NETSPEC = (sys.executable, "-c", "from netspec.cli import main; main()")
COMMAND = (*NETSPEC, "prepare")


def run(*arguments: object, command: str = "prepare", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    words = [*NETSPEC, command, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd)


def test_text(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 12, "b": 1, "c": 1, "d": 1})
    (root / "a" / "005.png").write_bytes(b"broken")
    done = run(root, "-o", tmp_path / "out", "--size", 16, "--holdout", 0.2)
    data = check_prepared(tmp_path / "out")
    counts = {split: len(found) for split, found in data.splits.items()}
    assert sum(counts.values()) == 14
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0] == f"{tmp_path / 'out'}: prepared: image folder"
    assert lines[1] == f"  pictures    train {counts['train']}, test {counts['test']}, 16 x 16 RGB"
    assert lines[2] == "  classes     4 (a, b, c, d)"
    assert lines[3] == "  mean color  " + ", ".join(f"{value:.2f}" for value in data.statistics.mean_color)
    assert [line[:18].strip() for line in lines[4:7]] == ["principal   std", "std", "std"]
    assert lines[7].startswith("  bad files   1, left out and listed in ")
    assert lines[8].strip() == "a/005.png: no picture in any format that is read here"
    assert lines[9].strip() == (
        "note        for nets of pictures of 16 x 16, as `data.resize: 16` says; for others, prepare with --spec SPEC"
    )
    assert lines[10] == f"next: netspec train SPEC --data {tmp_path / 'out'}"


def test_json(tmp_path: Path) -> None:
    write_cifar10(tmp_path / "raw", 2)
    document = json.loads(run(tmp_path / "raw", "-o", tmp_path / "out", "--json").stdout)
    data = open_prepared(tmp_path / "out")
    assert document["counts"] == {"train": 10, "test": 2}
    assert document["digest"] == data.digest
    assert document["eigenvalues"] == data.statistics.eigenvalues.tolist()
    assert (document["size"], document["channels"], document["reused"]) == ([32, 32], 3, False)
    assert json.loads(run(tmp_path / "raw", "-o", tmp_path / "out", "--json").stdout)["reused"]


@pytest.mark.parametrize(
    ("spec", "size", "channels"), [("alexnet", (256, 256), 3), ("lenet", (28, 28), 1)], ids=["resize", "stretch"]
)
def test_a_spec_says_size_and_colours(tmp_path: Path, spec: str, size: tuple[int, int], channels: int) -> None:
    root = write_folder(tmp_path / "raw", {"a": 2})
    done = run(root, "-o", tmp_path / "out", "--spec", spec)
    assert done.returncode == 0, done.stderr
    data = open_prepared(tmp_path / "out")
    assert (data.size, data.channels) == (size, channels)
    assert f"next: netspec train {spec} --data {tmp_path / 'out'}" in done.stdout


def test_grey_and_stretched(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 2})
    run(root, "-o", tmp_path / "out", "--stretch", "9x12", "--grey")
    data = open_prepared(tmp_path / "out")
    assert (data.size, data.channels) == ((9, 12), 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--stretch", "9"], 2, "--stretch is height x width, as in 32x32"),
        (["--size", "9", "--spec", "alexnet"], 2, "give one of --spec, --size and --stretch"),
        (["--size", "0"], 2, "--size"),
        (["--spec", "nothing"], 1, "nothing"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    root = write_folder(tmp_path / "raw", {"a": 1})
    done = run(root, "-o", tmp_path / "out", *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_wrong_data(tmp_path: Path) -> None:
    done = run(tmp_path / "none", "-o", tmp_path / "out")
    assert (done.returncode, len(done.stderr.splitlines())) == (4, 1)
    root = write_folder(tmp_path / "raw", {"a": 2})
    (root / "a" / "000.png").write_bytes(b"broken")
    done = run(root, "-o", tmp_path / "out", "--max-bad", 0)
    assert done.returncode == 4
    assert "--max-bad" in done.stderr
    assert run(root, "-o", tmp_path / "out", "--max-bad", 0.5).returncode == 0
    (root / "a" / "000.png").write_bytes(encoded(1))
    done = run(root, "-o", tmp_path / "out")
    assert (done.returncode, "--force" in done.stderr) == (4, True)
    assert run(root, "-o", tmp_path / "out", "--force").returncode == 0


def test_check_says_that_all_bytes_are_there(tmp_path: Path) -> None:
    write_cifar10(tmp_path / "raw", 2)
    run(tmp_path / "raw", "-o", tmp_path / "out")
    digest = open_prepared(tmp_path / "out").digest
    done = run("--check", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path / 'out'}: whole: train 10, test 2; sha256 {digest}\n"
    document = json.loads(run("--check", tmp_path / "out", "--json").stdout)
    assert document == {"path": str(tmp_path / "out"), "digest": digest, "counts": {"train": 10, "test": 2}}


def test_check_names_damaged_files(tmp_path: Path) -> None:
    """Damage that opening the folder does not see: sizes and types are as they were."""
    write_cifar10(tmp_path / "raw", 2)
    run(tmp_path / "raw", "-o", tmp_path / "out")
    for name in ("test-images.npy", "mean-image.npy"):
        content = bytearray((tmp_path / "out" / name).read_bytes())
        content[-1] ^= 1
        (tmp_path / "out" / name).write_bytes(content)
    open_prepared(tmp_path / "out")
    done = run("--check", tmp_path / "out")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (4, "", 1)
    assert "mean-image.npy" in done.stderr
    assert "test-images.npy" in done.stderr
    assert "train-images.npy" not in done.stderr


def test_check_is_of_prepared_data(tmp_path: Path) -> None:
    done = run("--check", tmp_path)
    assert (done.returncode, "no prepared data" in done.stderr) == (4, True)
    assert run("--check", tmp_path, "-o", tmp_path / "out").returncode == 2
    assert run(tmp_path).returncode == 2  # without --out


def test_a_log_has_a_line_a_minute(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with preparing() as show:
        for second in range(0, 181, 5):
            now = 1000.0 + second
            show(500 + second, 4100, second // 60)
    assert capsys.readouterr().err.splitlines() == [
        "netspec: 560 of 4,100 pictures, 1 bad, 59 min left",
        "netspec: 620 of 4,100 pictures, 2 bad, 58 min left",
        "netspec: 680 of 4,100 pictures, 3 bad, 57 min left",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_on_a_terminal(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """The bar shows that it has begun; then it is stopped, says so, and the same command goes on."""
    root = write_folder(tmp_path / "raw", {"a": 150}, 500, 500)
    arguments = [str(root), "-o", str(tmp_path / "out"), "--workers", "1"]
    ours, theirs = pty.openpty()
    with subprocess.Popen([*COMMAND, *arguments], stderr=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = b""
        while b"/150" not in shown:
            shown += os.read(ours, 1000)
        process.send_signal(number)
        while part := _read(ours):
            shown += part
    os.close(ours)
    assert process.returncode == code
    assert b"of 150 pictures are prepared; the same command goes on from there" in shown
    assert not is_prepared(tmp_path / "out")
    assert run(*arguments).returncode == 0
    run(root, "-o", tmp_path / "unbroken")
    assert contents(tmp_path / "out") == contents(tmp_path / "unbroken")


def _read(terminal: int) -> bytes:
    """What comes next; nothing once the other side is closed, which Linux reports as an error."""
    try:
        return os.read(terminal, 1000)
    except OSError:
        return b""
