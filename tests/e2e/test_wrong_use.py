"""What cannot be trained, or not gone on with, is refused in one line with the right exit code, and changes nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from netspec_runtime.training.checkpoint import Checkpoints
from tests.data.raw import write_folder
from tests.e2e.runs import OFTEN, SPEC, Done, Server, metrics, outcome, steps, write_data

pytestmark = pytest.mark.slow
DATA = ("train", "tiny.yaml", "--data", "data")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


@pytest.fixture(scope="module")
def odd(place: Path) -> Path:
    """Beside the good data: others that do not fit."""
    write_data(place / "four", classes=4)
    write_data(place / "others", seed=1)
    (place / "three.yaml").write_text(SPEC.replace("gpu: 0,", "gpu: 2,").replace("name: tiny", "name: three"))
    (place / "large.yaml").write_text(SPEC.replace("size: 12", "size: 16").replace("resize: 14", "resize: 20"))
    (place / "ordered.yaml").write_text(
        SPEC.replace("classes: 6", "classes: 6\nlabels: [bee, ant, cat, dog, elk, fox]")
    )
    (place / "frozen.yaml").write_text(re.sub("filters: 4|outputs: 6", r"\g<0>, lr_w: 0, lr_b: 0", SPEC))
    (place / "normed.yaml").write_text(
        SPEC.replace("type: dropout, inputs: conv2, rate: 0.3", "type: batchnorm, inputs: conv2")
    )
    write_folder(place / "raw", {"a": 2, "b": 2})
    (place / "full").mkdir()
    (place / "full" / "letter.txt").write_text("keep me")
    (place / "file").write_text("no folder")
    return place


@pytest.mark.usefixtures("unbroken")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("train", "tiny.yaml", "--data", "four"), 4, "it has 4 classes, and the net tells 6 apart"),
        (("train", "tiny.yaml", "--data", "missing"), 4, "missing"),
        (("train", "tiny.yaml", "--data", "full"), 4, "full"),
        (("train", "tiny.yaml"), 2, "tiny needs pictures to learn from, a folder of them for each class: --data"),
        (("train", "missing.yaml", "--data", "data"), 1, "missing.yaml"),
        (("train", "data"), 2, "data is a folder: name a spec, and give pictures as --data data"),
        (("train", "unbroken"), 2, "unbroken is a folder: --resume unbroken goes on with a run"),
        (("train", "large.yaml", "--data", "data"), 4, "prepared as 14 x 14 x 3, and it takes 20 x 20 x 3"),
        (("train", "ordered.yaml", "--data", "data"), 4, "class 0 is ant here and bee in the spec's labels"),
        (("train", "frozen.yaml", "--data", "data"), 1, "nothing in this net can learn: each rate is 0"),
        ((*DATA, "--resume", "full"), 4, "full: no run of netspec train"),
        ((*DATA, "--resume", "nowhere"), 4, "nowhere: there is no such folder"),
        ((*DATA, "--out", "full"), 4, "full: the folder is not empty"),
        ((*DATA, "--out", "file"), 4, "file: cannot make a folder: File exists"),
        ((*DATA, "--out", "file/in"), 4, "file/in: cannot make a folder: Not a directory"),
        ((*DATA, "--runs", "file"), 4, "file: cannot make a folder: File exists"),
        ((*DATA, "--out", "unbroken"), 4, "unbroken: the folder is not empty"),
        (
            ("train", "normed.yaml", "--data", "data", "--parts", "2"),
            2,
            "--parts 2: batch normalisation (drop2) needs the whole batch at once; train without --parts",
        ),
        ((*DATA, "--devices", "gpu"), 2, "--devices gpu: no device"),
        ((*DATA, "--devices", "cpu,,cpu"), 2, "no device"),
        ((*DATA, "--devices", ""), 2, "no device"),
        ((*DATA, "--devices", "cpu:0"), 2, "no device"),
        ((*DATA, "--devices", "cpu,cpu,cpu"), 2, "places its layers on 2; give one or 2, or `gpu` keys in the spec"),
        ((*DATA, "--devices", "cpu;cpu"), 2, "no device; separate them by commas: --devices cpu,cpu"),
        ((*DATA, "--devices", "cuda:77"), 3, "--devices cuda:77: torch sees"),
        (
            (*DATA, "--mesh", "data=2,tower=2"),
            2,
            "this is one process of 4; start with torchrun: torchrun --nproc-per-node 4 -m netspec train tiny.yaml",
        ),
        ((*DATA, "--mesh", "data"), 2, "--mesh data: not a mesh"),
        ((*DATA, "--init-from", "file"), 4, "file: it holds no weights: neither a safetensors nor an ONNX file; give"),
        ((*DATA, "--init-from", "missing"), 4, "missing: No such file or directory; check the path: a file of weights"),
        ((*DATA, "--parts", "0"), 2, "--parts"),
        ((*DATA, "--until-error", "2"), 2, "--until-error"),
        ((*DATA, "--set", "train.lr=-1"), 1, "lr"),
        (("train", "--resume", "unbroken", "--data", "others"), 4, "were made with another data set; resume with the"),
        (
            ("train", "--resume", "unbroken", "--data", "four"),
            4,
            "four: it has 4 classes, and the net tells 6 apart; resume with the data that it learned from, or start",
        ),
        (
            ("train", "--resume", "unbroken", "--data", "raw"),
            4,
            "raw: it has 2 classes, and the net tells 6 apart; resume with the data that it learned from, or start",
        ),
        (
            ("train", "--resume", "unbroken", "--set", "seed=3"),
            4,
            "unbroken: its checkpoints were made with another spec",
        ),
        (("train", "--resume", "unbroken", "--set", "train.lr=0.02"), 4, "were made with another spec"),
    ],
)
def test_refusals(server: Server, odd: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    before = files(odd)
    done = server.run(odd, *arguments)
    assert done.code == code, done.err
    assert message in done.err
    assert "Traceback" not in done.err
    assert code != 4 or done.err.count("\n") == 1, done.err
    assert done.out == ""
    assert files(odd) == before


def test_two_processes_into_one_run(server: Server, place: Path, unbroken: Path) -> None:
    arguments = (*DATA, "--out", "twice", "--resume", "auto", *OFTEN)
    first = server.start(place, *arguments)
    assert first.until(lambda: bool(steps(place / "twice")))
    second = server.run(place, *arguments)
    assert first.wait().code == 0
    if second.code:  # the first one was still at it
        assert second.code == 4
        assert "twice: another process is training into it; wait for it, or start a new run" in second.err
    assert outcome(place / "twice") == outcome(unbroken)


def interrupted(server: Server, place: Path, run: str) -> Path:
    running = server.start(place, *DATA, "--out", run, *OFTEN)
    running.until(lambda: max(steps(place / run), default=0) >= 9)
    running.kill()
    assert len(steps(place / run)) >= 2
    return place / run


def damage(note: Path) -> None:
    tensors = max(note.parent.glob(f"{note.stem}*.safetensors"))
    changed = bytearray(tensors.read_bytes())
    changed[-7] ^= 16
    tensors.write_bytes(changed)


def resume(server: Server, run: Path) -> Done:
    return server.run(run.parent, "train", "--resume", run.name)


def test_a_damaged_checkpoint_gives_way(server: Server, place: Path, unbroken: Path) -> None:
    run = interrupted(server, place, "damaged")
    newest = max((run / "checkpoints").glob("*.json"))
    damage(newest)
    done = resume(server, run)
    assert done.code == 0, done.err
    assert f"{newest.name}: its tensors were changed or cut off, so the one before it is used" in done.err
    assert outcome(run) == outcome(unbroken)


def test_no_good_checkpoint(server: Server, place: Path) -> None:
    run = interrupted(server, place, "ruined")
    for note in (run / "checkpoints").glob("*.json"):
        damage(note)
    before = files(run)
    done = resume(server, run)
    assert done.code == 4, done.err
    assert "checkpoints is whole" in done.err
    assert done.err.count("\n") == 1
    assert files(run) == before


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("best.safetensors", lambda raw: raw[:-3] + b"abc", "best.safetensors"),
        ("best.safetensors", None, "best.safetensors"),
        ("arguments.json", lambda raw: raw[:-9], "arguments.json: damaged"),
        ("metrics.jsonl", lambda raw: b"{}\n" + raw, "metrics.jsonl: line 1 is no record of netspec train"),
    ],
)
def test_other_files_that_are_damaged(
    server: Server, unbroken: Path, name: str, change: Callable[[bytes], bytes] | None, message: str
) -> None:
    run = shutil.copytree(unbroken, unbroken.with_name("other"), dirs_exist_ok=True)
    if change is None:
        (run / name).unlink()
    else:
        (run / name).write_bytes(change((run / name).read_bytes()))
    done = resume(server, run)
    shutil.rmtree(run)
    assert done.code == 4, done.err
    assert message in done.err.splitlines()[-1]


def test_a_folder_left_by_a_kill_at_its_start(server: Server, place: Path, unbroken: Path) -> None:
    """As a kill leaves it after each file of its description, and before its first checkpoint."""
    names = (".lock", "arguments.json", "tiny.py", "tiny.yaml")
    run = place / "begun"
    for count in (1, 3):
        run.mkdir()
        for name in names[:count]:
            shutil.copy(unbroken / name, run)
        (run / ".tiny.py.123.tmp").write_text("half")
        if not count:
            (run / ".tiny.py.123.tmp").unlink()
        done = server.run(place, *DATA, "--out", "begun", "--resume", "auto", *OFTEN)
        assert done.code == 0, done.err
        assert outcome(run) == outcome(unbroken)
        shutil.rmtree(run)
    shutil.copytree(unbroken, run, ignore=shutil.ignore_patterns("checkpoints", "best*", "model*", "metrics*"))
    done = server.run(place, *DATA, "--out", "begun", "--resume", "auto", "--set", "train.epochs=1", *OFTEN)
    assert done.code == 0, done.err
    assert "epochs: 1" in (run / "tiny.yaml").read_text()  # what is there tells of what was trained


def test_metrics_that_a_kill_cut_off(server: Server, place: Path, unbroken: Path) -> None:
    run = interrupted(server, place, "torn")
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(b'{"kind": "train", "st')
    (run / ".best.safetensors.99.tmp").write_bytes(b"half")
    assert resume(server, run).code == 0
    assert metrics(run) == metrics(unbroken)
    assert outcome(run) == outcome(unbroken)
    assert Checkpoints(run / "checkpoints").latest()[1] == []
