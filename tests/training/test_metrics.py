"""metrics.jsonl: what is written is read, a kill loses at most its last line, a resumed file equals an unbroken one."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped] # no types are published

from netspec_runtime.errors import DataError, EnvironmentProblem
from netspec_runtime.training.metrics import (
    EpochRecord,
    EventRecord,
    Metrics,
    Record,
    read_metrics,
    truncate_after,
)
from netspec_runtime.training.tensorboard import TensorBoard
from tests.training.records import TIMES, epochs, run, train


def write(path: Path, records: Sequence[Record]) -> None:
    with Metrics(path) as metrics:
        for record in records:
            metrics.write(record)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    records = [*run(3), replace(epochs(1)[0], test_loss=None, test_top1_error=None, test_top5_error=None)]
    write(path, records)
    assert read_metrics(path) == records
    first = json.loads(path.read_text().splitlines()[0])
    assert (first["kind"], first["step"], first["epoch"], first["top1_error"]) == ("train", 5, 1, 0.5)


def test_a_record_is_in_the_file_before_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Metrics(path) as metrics:
        for count in range(1, 4):
            metrics.write(train(count))
            assert len(read_metrics(path)) == count


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_torn_last_line_is_none_and_spoils_none(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, run(2))
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_metrics(path) == run(2)[:-1]
    write(path, [train(99)])
    assert read_metrics(path) == [*run(2)[:-1], train(99)]


@pytest.mark.parametrize("line", ["{}", "[]", "nothing", '{"kind": "train"}', '{"kind": "other"}', "\x00"])
def test_a_foreign_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, [train(1)])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match="line 2 is no record"):
        read_metrics(path)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("train", {"step": "x"}),
        ("train", {"step": 5.0}),
        ("train", {"epoch": True}),
        ("train", {"loss": None}),
        ("train", {"seconds": math.nan}),
        ("epoch", {"test_loss": "0.1"}),
        ("epoch", {"test_loss": math.inf}),
        ("epoch", {"lr": [0.1]}),
        ("event", {"text": 3}),
    ],
)
def test_a_line_with_a_value_of_another_type_is_named(tmp_path: Path, kind: str, change: dict[str, object]) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, run(2))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    number = next(number for number, entry in enumerate(lines) if entry["kind"] == kind)
    lines[number] |= change
    path.write_text("".join(f"{json.dumps(entry)}\n" for entry in lines))
    with pytest.raises(DataError, match=f"line {number + 1} is no record"):
        truncate_after(path, 20)


def test_a_number_may_be_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, [train(1)])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"loss": 2}) + "\n")
    assert read_metrics(path) == [replace(train(1), loss=2)]


@pytest.mark.parametrize("killed_after", range(13))
def test_a_resumed_file_equals_an_unbroken_one(tmp_path: Path, killed_after: int) -> None:
    """Checkpoints after each epoch; a kill in the middle of the line after this many."""
    unbroken, path = run(3), tmp_path / "metrics.jsonl"
    write(path, unbroken[:killed_after])
    with path.open("a") as file:
        file.write('{"kind": "tr')
    step = max((r.step for r in unbroken[:killed_after] if isinstance(r, EpochRecord)), default=0)
    truncate_after(path, step)
    write(path, [r if isinstance(r, EventRecord) else replace(r, seconds=0.0) for r in unbroken if r.step > step])
    assert [timeless(r) for r in read_metrics(path)] == [timeless(r) for r in unbroken]


def timeless(record: Record) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in TIMES}


def test_a_checkpoint_before_the_test_of_its_epoch_drops_the_record_of_it(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, run(2))
    truncate_after(path, 20, epochs=1)
    assert read_metrics(path) == run(2)[:-1]


def test_truncating_what_is_not_there_makes_no_file(tmp_path: Path) -> None:
    truncate_after(tmp_path / "metrics.jsonl", 5)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_no_bug(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes((1 << 20) - 8192))
    records = [train(step) for step in range(1, 1000)]
    with pytest.raises(DataError, match="No space left on device"):
        write(small_disk / "metrics.jsonl", records)
    found = read_metrics(small_disk / "metrics.jsonl")
    assert found == records[: len(found)]
    assert found


@pytest.mark.slow
def test_tensorboard_reads_the_same_numbers(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board:
        for record in run(3):
            board.write(record)
    found = EventAccumulator(str(tmp_path)).Reload()
    assert {e.step: e.value for e in found.Scalars("epoch/test_top1_error")} == {
        r.step: pytest.approx(r.test_top1_error) for r in epochs(3)
    }
    assert {e.step: e.value for e in found.Scalars("train/loss")} == {
        step: pytest.approx(1 / step) for step in range(5, 31, 5)
    }
    assert [e.step for e in found.Tensors("advice/text_summary")] == [10, 20, 30]


@pytest.mark.slow
@pytest.mark.parametrize("saved", [0, 10])
def test_tensorboard_hides_what_a_killed_run_wrote(saved: int, tmp_path: Path) -> None:
    for first, records in ((0, run(3)), (saved, [record for record in run(2) if record.step > saved])):
        with TensorBoard(tmp_path, step=first) as board:
            for record in records:
                board.write(record)
    found = EventAccumulator(str(tmp_path)).Reload()
    assert [e.step for e in found.Scalars("epoch/train_loss")] == [10, 20]


def test_a_missing_tensorboard_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(EnvironmentProblem, match=r"--tensorboard: .*; pip install 'netspec\[log\]'"):
        TensorBoard(tmp_path)
