"""What `netspec train` makes of its options: threads, names that torchrun leaves alone, whose run a restart takes."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import typer.main
from safetensors.numpy import load_file
from torch.distributed.run import get_args_parser
from typer.core import TyperGroup

from netspec.cli import app
from netspec.cli.once import PATIENCE
from netspec.runs import Wish, open_folder
from netspec_runtime.data.stream import Stream
from netspec_runtime.errors import DataError
from netspec_runtime.model_file import read_model
from netspec_runtime.training import memory
from netspec_runtime.training.run import RunFolder
from netspec_runtime.training.world import Alone
from netspec_runtime.weights import map_weights
from tests.cli.conftest import Run
from tests.cli.runs import RECIPE

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("flags", "threads"), [((), 3), (("--workers", 1), 1), (("--workers", 0), 3)])
def test_pictures_are_prepared_by_all_cores_if_nobody_says_less(
    netspec: Run, monkeypatch: pytest.MonkeyPatch, flags: tuple[object, ...], threads: int
) -> None:
    run, seen = Stream.run, list[int]()

    def watched(stream: Stream, workers: int) -> None:
        seen.append(workers)
        run(stream, workers)

    monkeypatch.setattr(Stream, "run", watched)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    done = netspec("train", "small.yaml", "--data", "pictures", *flags)
    assert done.code == 0, done.err
    assert seen == [threads]


@pytest.mark.usefixtures("place")
def test_a_package_that_is_missing_is_said_before_there_is_a_run(netspec: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    done = netspec("train", "small.yaml", "--data", "pictures", "--tensorboard")
    assert done.code == 3
    assert "--tensorboard: the package tensorboard is not installed" in done.err
    assert not Path("runs").exists()


@pytest.mark.usefixtures("place")
def test_memory_is_kept_and_others_are_left(netspec: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the net is there, and after all is computed."""
    told: list[str] = []
    monkeypatch.setattr(memory, "keep_freed_memory", lambda: told.append("memory"))
    monkeypatch.setattr(Alone, "leave", lambda world: told.append("leave"))
    assert netspec("train", "small.yaml", "--data", "pictures").code == 0
    assert told == ["memory", "leave"]


def test_a_precision_holds_for_the_process_and_the_run(place: Path, netspec: Run) -> None:
    for precision in ("tf32", "float32"):
        flags = ("--precision", precision, "-o", precision)
        assert netspec("train", "small.yaml", "--data", "pictures", *flags).code == 0
        assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == (precision == "tf32")
        assert json.loads((place / precision / "arguments.json").read_text())["flags"]["precision"] == precision
    best = [(place / name / "best.safetensors").read_bytes() for name in ("tf32", "float32")]
    assert best[0] == best[1]  # a CPU knows no tf32


def options() -> Iterator[str]:
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    for parameter in command.commands["train"].params:
        yield from (name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("-"))


def test_torchrun_takes_no_option_for_its_own() -> None:
    """It reads all words before it knows which are the program's, and refuses those that begin several of its own."""
    names = sorted(options())
    assert {"--out", "-o", "--runs", "--until-error", "--device", "--devices"} <= set(names)
    for name in names:
        words = ["--nproc-per-node", "2", "-m", "netspec", "train", "net.yaml", name, "1"]
        assert get_args_parser().parse_args(words).training_script_args == words[4:], name


def wish(runs: Path, out: Path | None = None) -> Wish:
    return Wish("net", (), None, out, runs, None, None)


def made(path: Path, launch: str | None) -> RunFolder:
    """The run of a net, as a start by torchrun leaves it before its first step."""
    path.mkdir(parents=True)
    run = RunFolder(path, "net")
    run.write_json("arguments.json", {"data": None, "launch": launch})
    run.write("net.yaml", "netspec: 1\n")
    return run


def test_a_restart_goes_on_with_the_run_of_its_own_launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    own = made(runs / "net", "this")
    made(runs / "net-2", "other")
    made(runs / "net-3", None)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "this")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert open_folder(wish(runs), None, "net", Alone(), lambda: None) == own
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "0")
    assert open_folder(wish(runs), None, "net", Alone(), lambda: None).path == runs / "net-4"


def test_a_restart_before_there_was_a_run_makes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And takes no older one of the same net."""
    runs = tmp_path / "runs"
    old = made(runs / "net", "other")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "this")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert open_folder(wish(runs), None, "net", Alone(), lambda: None).path == runs / "net-2"
    with pytest.raises(DataError, match="the folder is not empty"):
        open_folder(wish(runs, old.path), None, "net", Alone(), lambda: None)
    shutil.rmtree(old.path)
    made(old.path, "this")
    assert open_folder(wish(runs, old.path), None, "net", Alone(), lambda: None) == old


def test_arguments_have_the_launch(place: Path, netspec: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "this")
    assert netspec("train", "small.yaml", "--data", "pictures", "-o", "kept").code == 0
    found = json.loads((place / "kept" / "arguments.json").read_text())
    assert found["launch"] == "this"
    assert found["command"] == sys.argv[1:]


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_build_takes_a_run_s_weights_and_mean(place: Path, netspec: Run, channels: str) -> None:
    """Its model prepares pictures and names classes as the run's own; a file of weights alone knows no mean."""
    flags = ("--set", f"data.channels={channels}", "--set", "data.mean_color=[1, 2, 3]")
    assert netspec("train", "small.yaml", "--data", "pictures", "-o", "run", *flags).code == 0
    done = netspec("build", "small.yaml", "--weights", "run", "-o", "all", *flags)
    assert (done.code, done.err) == (0, "")
    own, model = read_model("run/model.onnx"), read_model("all/small.onnx")
    assert own.card.preprocessing.mean_image is not None
    assert (model.card.preprocessing, model.card.labels) == (own.card.preprocessing, own.card.labels)
    best, found = load_file(place / "run" / "best.safetensors"), map_weights(place / "all" / "small.onnx")
    assert {name: array.tobytes() for name, array in best.items()} == {n: found[n].tobytes() for n in best}
    done = netspec("build", "small.yaml", "--weights", "run/best.safetensors", "-o", "weights", *flags)
    assert done.code == 0
    assert "`mean: image` was not measured, so `mean_color` is subtracted" in done.err
    assert read_model("weights/small.onnx").card.preprocessing.mean_image is None


def test_build_refuses_a_run_that_cannot_say_its_mean(place: Path, netspec: Run) -> None:
    assert netspec("train", "small.yaml", "--data", "pictures", "-o", "run", "--set", "data.mean=color").code == 0
    done = netspec("build", "small.yaml", "--weights", "run")
    assert done.code == 4
    assert "run: it was trained without a mean image; build its own spec: run/small.yaml" in done.err
    assert netspec("build", "run/small.yaml", "--weights", "run").err == ""
    other = ("--set", "layers.conv1.filters=4", "--set", "data.resize=22")
    done = netspec("build", "small.yaml", "--weights", "run", *other)
    said = "run: it is a run of another net (`small`): `conv1.bias` is 8 F32, not 4 F32, and 2 more"
    assert (done.code, said in done.err) == (4, True), done.err
    done = netspec("build", "small.yaml", "-o", "run")
    assert (done.code, "run: it holds a run; choose another folder with --out" in done.err) == (4, True)
    assert not (place / "run" / "report.html").exists()
    (place / "run" / "model.onnx").unlink()
    done = netspec("build", "run/small.yaml", "--weights", "run")
    assert (done.code, "end its training: netspec train --resume run" in done.err) == (4, True)
    done = netspec("build", "small.yaml", "--weights", "pictures")
    assert (done.code, "pictures: no run of netspec train" in done.err) == (4, True)


def test_infer_takes_the_model_of_a_run(place: Path, netspec: Run) -> None:
    assert netspec("train", "small.yaml", "--data", "pictures", "-o", "run").code == 0
    picture = place / "pictures" / "val" / "ant" / "0.png"
    answers = [netspec("infer", "--onnx", model, picture, "--json") for model in ("run", "run/model.onnx")]
    assert [done.code for done in answers] == [0, 0]
    assert answers[0].out == answers[1].out
    assert json.loads(answers[0].out)["model"] == "run/model.onnx"
    (place / "run" / "model.onnx").unlink()
    done = netspec("infer", "--onnx", "run", picture)
    assert (done.code, "end its training: netspec train --resume run" in done.err) == (4, True)


def test_a_run_says_what_nobody_may_expect(place: Path, netspec: Run) -> None:
    """Defaults that are used, and batches that are smaller than asked for; nothing else."""
    few = ("--set", "train.batch=64", "--set", "train.epochs=1")
    done = netspec("train", "small.yaml", "--data", "pictures", "-o", "few", *few)
    assert done.code == 0
    assert "note: train.batch is 64, and there are 48 pictures: each batch has all of them\n" in done.err
    assert "no `train`" not in done.err
    text = (place / "small.yaml").read_text().replace(RECIPE, "")
    (place / "bare.yaml").write_text(text)
    done = netspec("train", "bare.yaml", "--data", "pictures", "-o", "bare", "--until-error", "1")
    assert "note: the spec has no `train`, so 90 epochs in batches of 128, rate 0.01, momentum 0.9, " in done.err
    assert "note" not in netspec("train", "small.yaml", "--data", "pictures", "-o", "plain").err


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("missing.yaml",), 1),
        (("small.yaml",), 2),
        (("small.yaml", "--data", "none"), 4),
        (("small.yaml", "--mesh", "data=2"), 2),
    ],
)
def test_what_only_another_process_meets_is_told(
    netspec: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int
) -> None:
    """It waits whether torchrun ends it, as it does when the first one has told the same."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    first = netspec("train", *arguments)
    assert slept == []
    monkeypatch.setenv("LOCAL_RANK", "1")
    second = netspec("train", *arguments)
    assert slept == [PATIENCE]
    assert (first.code, second.code) == (code, code)
    assert first.err == second.err != ""
