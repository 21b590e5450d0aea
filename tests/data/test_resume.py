"""A preparation that is stopped, by any means and at any moment, goes on to the bytes of one that is not."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from netspec_runtime.data import stream
from netspec_runtime.data.check import check_prepared
from netspec_runtime.data.journal import Journal
from netspec_runtime.data.manifest import JOURNAL, images_file
from netspec_runtime.data.open import is_prepared
from netspec_runtime.data.prepare import Options, prepare
from netspec_runtime.data.write import HEADER
from netspec_runtime.errors import DataError
from tests.data.raw import write_folder
from tests.data.test_prepare import SMALL, contents, quiet, run

# Saves after some chunks, so that kills find rows which the journal does not know. It says on stdout when it starts and
# how far it is.
SCRIPT = """
import sys
from pathlib import Path
from netspec_runtime.data import stream
from netspec_runtime.data.prepare import Options, prepare
stream.SAVE_SECONDS = 0.02
source, out = map(Path, sys.argv[1:3])
print("start", flush=True)
prepare([source], out, Options(side=16, workers=2), lambda done, total, bad: print(done, flush=True))
"""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two splits of pictures, some of them broken."""
    root = tmp_path_factory.mktemp("raw")
    write_folder(root / "train", {"a": 70, "b": 70}, 60, 80)
    write_folder(root / "val", {"a": 40, "b": 40}, 60, 80, seed=1000)
    for name in ("train/a/003.png", "train/b/069.png", "val/a/000.png"):
        (root / name).write_bytes(b"broken")
    return root


@pytest.fixture(scope="module")
def unbroken(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The hashes of a preparation that was not stopped."""
    out = tmp_path_factory.mktemp("unbroken") / "out"
    run(raw, out)
    assert len(check_prepared(out).splits["train"]) == 138
    return contents(out)


class Stop(BaseException):
    """What Ctrl-C and SIGTERM raise is no Exception either."""


def test_what_a_killed_process_left_half_written_goes(raw: Path, unbroken: dict[str, str], tmp_path: Path) -> None:
    def stop(done: int, *_: int) -> None:
        if done > 50:
            raise Stop

    with pytest.raises(Stop):
        prepare([raw], tmp_path / "out", SMALL, stop)
    for name in (JOURNAL, "train-labels.npy"):
        (tmp_path / "out" / f".{name}.99999.tmp").write_bytes(b"half")
    prepare([raw], tmp_path / "out", SMALL, quiet)
    assert contents(tmp_path / "out") == unbroken


def test_the_journal_knows_no_row_that_a_loss_of_power_could_take(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are synced before the journal counts them."""
    fsync, save = os.fsync, Journal.save
    synced: dict[int, int] = {}  # inode to bytes
    counted: list[int] = []

    def watched_sync(number: int) -> None:
        fsync(number)
        status = os.fstat(number)
        synced[status.st_ino] = status.st_size

    def watched_save(journal: Journal, folder: Path) -> None:
        for split in journal.done:
            inode = (folder / images_file(split)).stat().st_ino
            assert synced.get(inode, 0) >= HEADER + journal.rows(split) * 16 * 16 * 3
            counted.append(journal.rows(split))
        save(journal, folder)

    monkeypatch.setattr(stream, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Journal, "save", watched_save)
    run(raw, tmp_path / "out")
    assert len(set(counted)) > 3


@pytest.mark.parametrize("saved", [0.0, 1e9], ids=["saved often", "saved at the stop"])
@pytest.mark.parametrize("after", [0, 1, 50, 137, 139, 141, 200, 219])
def test_a_stop_in_the_middle(
    raw: Path, unbroken: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, saved: float
) -> None:
    monkeypatch.setattr(stream, "SAVE_SECONDS", saved)

    def stop(done: int, *_: int) -> None:
        if done > after:
            raise Stop

    with pytest.raises(Stop):
        prepare([raw], tmp_path / "out", SMALL, stop)
    assert not is_prepared(tmp_path / "out")
    assert (tmp_path / "out" / JOURNAL).exists()
    seen: list[int] = []
    prepare([raw], tmp_path / "out", SMALL, lambda done, total, bad: seen.append(done))
    assert seen[0] >= min(after, 140)
    assert contents(tmp_path / "out") == unbroken


def kill_after(seconds: float, raw: Path, out: Path, number: signal.Signals) -> None:
    """Run the script, and end it so long after its start."""
    command = [sys.executable, "-c", SCRIPT, str(raw), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(number)


def killed_many_times(raw: Path, out: Path, times: int, seed: int) -> None:
    lots = random.Random(seed)
    numbers = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
    for _ in range(times):
        kill_after(lots.uniform(0.0, 0.5), raw, out, lots.choice(numbers))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_kills_at_any_moment(raw: Path, unbroken: dict[str, str], tmp_path: Path, seed: int) -> None:
    killed_many_times(raw, tmp_path / "out", 4, seed)
    run(raw, tmp_path / "out")
    assert contents(tmp_path / "out") == unbroken


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 150))
def test_many_kills_at_any_moment(raw: Path, unbroken: dict[str, str], tmp_path: Path, seed: int) -> None:
    killed_many_times(raw, tmp_path / "out", 4, seed)
    run(raw, tmp_path / "out")
    assert contents(tmp_path / "out") == unbroken


def test_a_kill_after_the_last_file_leaves_no_journal(raw: Path, unbroken: dict[str, str], tmp_path: Path) -> None:
    """The journal goes when all else is there: a kill between leaves both, and the next call finds all done."""
    stopped(raw, tmp_path / "out")
    journal = (tmp_path / "out" / "preparing.json").read_bytes()
    run(raw, tmp_path / "out")
    (tmp_path / "out" / "preparing.json").write_bytes(journal)
    assert run(raw, tmp_path / "out").reused
    assert contents(tmp_path / "out") == unbroken


def stopped(raw: Path, out: Path) -> None:
    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare([raw], out, SMALL, stop)


def test_other_options_do_not_go_on_with_it(raw: Path, tmp_path: Path) -> None:
    stopped(raw, tmp_path / "out")
    other = replace(SMALL, side=17)
    with pytest.raises(DataError, match="it holds unfinished data of another source or of other options"):
        run(raw, tmp_path / "out", other)
    run(raw, tmp_path / "out", replace(other, replace=True))
    run(raw, tmp_path / "new", other)
    assert contents(tmp_path / "out") == contents(tmp_path / "new")


def test_other_workers_go_on_with_it(raw: Path, unbroken: dict[str, str], tmp_path: Path) -> None:
    stopped(raw, tmp_path / "out")
    run(raw, tmp_path / "out", replace(SMALL, workers=1))
    assert contents(tmp_path / "out") == unbroken


def test_rows_that_the_journal_does_not_know_are_made_again(
    raw: Path, unbroken: dict[str, str], tmp_path: Path
) -> None:
    stopped(raw, tmp_path / "out")
    with (tmp_path / "out" / "train-images.npy").open("ab") as file:
        file.write(b"half a row")
    run(raw, tmp_path / "out")
    assert contents(tmp_path / "out") == unbroken


def test_a_damaged_journal_and_lost_rows_are_said(raw: Path, tmp_path: Path) -> None:
    stopped(raw, tmp_path / "out")
    images = tmp_path / "out" / "train-images.npy"
    images.write_bytes(images.read_bytes()[:500])
    with pytest.raises(DataError, match=r"train-images\.npy: it is shorter than what was prepared of it"):
        run(raw, tmp_path / "out")
    (tmp_path / "out" / JOURNAL).write_text("{}")
    with pytest.raises(DataError, match=f"{JOURNAL}: it is damaged; remove the folder"):
        run(raw, tmp_path / "out")


def test_two_at_once_are_kept_apart(raw: Path, tmp_path: Path) -> None:
    def again(*_: int) -> None:
        with pytest.raises(DataError, match="another process is preparing into it"):
            prepare([raw], tmp_path / "out", SMALL, quiet)
        raise Stop

    with pytest.raises(Stop):
        prepare([raw], tmp_path / "out", SMALL, again)


def test_options_say_what_changes_the_bytes(raw: Path, tmp_path: Path) -> None:
    run(raw, tmp_path / "out")
    assert run(raw, tmp_path / "out", Options(side=16, workers=3, max_bad=0.5, wait=True)).reused
