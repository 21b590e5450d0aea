"""What `netspec eval` refuses, each in a line, before a net runs; and what it writes and never replaces."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from netspec_runtime.data.manifest import Origin
from netspec_runtime.data.open import open_prepared
from netspec_runtime.data.prepared import UNLABELLED, Split
from netspec_runtime.data.write import write_arrays
from netspec_runtime.training import candidate
from netspec_runtime.training.checkpoint import seal
from netspec_runtime.training.predictions import read_predictions, write_predictions
from tests.cli.conftest import Run
from tests.cli.evaluated import Made, document, errors, make, trained_on
from tests.cli.runs import draw_pictures, prepared, train_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("eval"))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raw pictures are prepared below the current folder."""
    monkeypatch.chdir(tmp_path)


def test_pictures_that_changed_since_a_run_learned_from_them_are_refused(
    made: Made, tmp_path: Path, netspec: Run
) -> None:
    underway = trained_on(made.data, made.run, tmp_path / "underway")
    (underway / "model.onnx").unlink()
    (underway / "checkpoints").mkdir()
    note = seal({"state": {"identity": {"data set": "another"}}})
    (underway / "checkpoints" / "step-00000060.json").write_bytes(note)
    done = netspec("eval", underway)
    assert (done.code, done.out) == (4, "")
    assert "are not those that it learned from" in done.err


@pytest.mark.parametrize("last", ["relabelled", "kept", "damaged"])
def test_all_models_are_checked_before_the_first_one_runs(
    made: Made, tmp_path: Path, last: str, monkeypatch: pytest.MonkeyPatch, netspec: Run
) -> None:
    model = tmp_path / "last"
    if last == "kept":
        draw_pictures(tmp_path / "pictures", seed=5)
        netspec("eval", made.run, "--data", tmp_path / "pictures", "--predictions", model)
    elif last == "damaged":
        model.write_bytes(b"no model")
    else:
        model = relabelled(made, tmp_path, ("ant", "bee", "dog", "cat", "elk", "fox"))
    ran: list[object] = []
    monkeypatch.setattr(candidate, "examine", lambda *arguments: ran.append(arguments))
    done = netspec("eval", made.run, model, "--data", made.data)
    assert (done.code, done.out, ran) == (4, "", [])
    assert str(model) in done.err


def test_pictures_without_labels_are_refused_before_a_net_runs(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, netspec: Run
) -> None:
    data = open_prepared(made.data)
    test = Split(data.splits["test"].images, np.full(48, UNLABELLED))
    write_arrays(tmp_path / "data", data.classes, {"train": data.splits["train"], "test": test}, Origin("drawn"))
    monkeypatch.setattr(candidate, "predict", None)
    done = netspec("eval", made.run, "--data", tmp_path / "data")
    assert done.code == 4
    assert "no picture has one" in done.err


def test_training_pictures_can_be_asked_for(made: Made, netspec: Run) -> None:
    found = document(netspec("eval", made.run, "--data", made.data, "--split", "train", "--json"))
    assert found["results"][0]["top1_error"] < 0.5
    done = netspec("eval", made.run / "model.onnx", "--data", made.pictures / "val", "--split", "dev")
    assert done.code == 2
    assert "'dev' is not one of 'train', 'test'" in done.err


def relabelled(made: Made, tmp_path: Path, labels: Sequence[str]) -> Path:
    return train_run(tmp_path / "relabelled", open_prepared(made.data), labels=labels)


def test_classes_in_another_order_are_refused(made: Made, tmp_path: Path, netspec: Run) -> None:
    run = relabelled(made, tmp_path, ("ant", "bee", "dog", "cat", "elk", "fox"))
    done = netspec("eval", run, "--data", made.data)
    assert (done.code, done.out) == (4, "")
    assert "its class 2 is `dog`, in the data it is `cat`" in done.err


def test_classes_with_other_names_are_taken_in_their_order(made: Made, tmp_path: Path, netspec: Run) -> None:
    run = relabelled(made, tmp_path, ("ant", "bee", "n02121620", "n02084071", "elk", "fox"))
    done = netspec("eval", run, "--data", made.data, "--json")
    assert errors(document(done)["results"][0]) == errors(
        document(netspec("eval", made.run, "--data", made.data, "--json"))["results"][0]
    )
    assert "2 of 6 classes have other names in the data (in its place, `n02121620` is `cat`)" in done.err


def test_another_number_of_classes_is_refused(made: Made, tmp_path: Path, netspec: Run) -> None:
    shutil.copytree(made.pictures / "val", tmp_path / "five")
    shutil.rmtree(tmp_path / "five" / "fox")
    (tmp_path / "five" / "ant").rename(tmp_path / "five" / "gnu")
    done = netspec("eval", made.run, "--data", tmp_path / "five")
    assert done.code == 4
    assert "it tells 6 classes apart, the data have 5" in done.err


def test_pictures_prepared_for_another_net_are_refused(made: Made, tmp_path: Path, netspec: Run) -> None:
    data = prepared(made.pictures, tmp_path / "larger", side=28)
    done = netspec("eval", made.run, "--data", data)
    assert done.code == 4
    assert "prepared as 28 x 28 x 3, and it takes 20 x 20 x 3" in done.err


def test_answers_for_other_pictures_are_not_averaged(made: Made, tmp_path: Path, netspec: Run) -> None:
    draw_pictures(tmp_path / "pictures", seed=5)
    netspec("eval", made.run, "--data", tmp_path / "pictures", "--predictions", tmp_path / "a")
    netspec("eval", made.run, "--data", made.data, "--predictions", tmp_path / "b")
    done = netspec("eval", tmp_path / "a", tmp_path / "b")
    assert done.code == 4
    assert "b: its pictures are prepared differently from the first's, or are others; average nets" in done.err


def test_nets_of_pictures_in_other_sizes_are_not_averaged(made: Made, tmp_path: Path, netspec: Run) -> None:
    text = (made.run / "small.yaml").read_text().replace("resize: 20", "resize: 18")
    (tmp_path / "small.yaml").write_text(text)
    assert netspec("build", tmp_path / "small.yaml", "-o", tmp_path / "built").code == 0
    done = netspec("eval", made.run, tmp_path / "built" / "small.onnx", "--data", made.pictures)
    assert done.code == 4
    assert (
        "small.onnx: its pictures are prepared differently from the first's (18 x 18, the first's 20 x 20)" in done.err
    )


def test_a_run_without_best_weights_says_how_it_gets_some(made: Made, tmp_path: Path, netspec: Run) -> None:
    started = trained_on(made.data, made.run, tmp_path / "started")
    for name in ("model.onnx", "best.safetensors"):
        (started / name).unlink()
    done = netspec("eval", started)
    reason = "there is no best.safetensors in it, which comes at the end of the first epoch"
    fix = f"go on with its training: netspec train --resume {started}"
    assert (done.code, done.out, done.err) == (4, "", f"netspec: {started}: {reason}; {fix}\n")
    done = netspec("eval", started, "--backend", "onnx")
    assert "there is no model.onnx in it, so no run that has ended; end its training" in done.err


def test_a_folder_of_runs_names_them(made: Made, tmp_path: Path, netspec: Run) -> None:
    for name in ("one", "two"):
        trained_on(made.data, made.run, tmp_path / "runs" / name)
    for more in ([], ["--data", made.data]):
        done = netspec("eval", "runs", *more)
        assert (done.code, done.err) == (
            4,
            "netspec: runs: it holds runs and is none: one, two; give one, as runs/one\n",
        )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["RUN"], 2, "/run does not say its pictures, as a run does: give some"),
        (["nothing"], 4, "nothing: there is no such file or folder; give an ONNX file or the folder of a run"),
        (["RUN", "nothing"], 4, "nothing: there is no such file or folder"),
        (["RUN/model.onnx"], 2, "model.onnx does not say its pictures"),
        (["RUN/spec.csv"], 4, "spec.csv: "),
        (["DATA"], 4, "no run that has ended; give an ONNX file or the folder of a run"),
        (["RUN", "--data", "DATA", "--weights", "1,x"], 2, "no list of numbers"),
        (["RUN", "--data", "DATA", "--weights", "1,2"], 2, "--weights: 2 for 1 models"),
        (["RUN", "--data", "DATA", "--weights", "0"], 2, "--weights: they are no share of a whole"),
        (["none.onnx", "--data", "DATA"], 4, "no such file or folder"),
        (["DATA", "--data", "DATA"], 4, "no run that has ended"),
        (["RUN", "--data", "nowhere"], 4, "nowhere"),
        (["RUN", "--data", "DATA", "--predictions", "RUN/best.safetensors"], 4, "holds no predictions"),
        (["RUN", "--data", "DATA", "--predictions", "no/such/file"], 4, "there is no such folder"),
        (["RUN", "none.onnx", "--data", "DATA"], 4, "none.onnx: there is no such file or folder"),
        (["RUN", "--data", "DATA", "--views", "5"], 2, "views"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    made: Made, arguments: list[str], code: int, message: str, netspec: Run
) -> None:
    words = [word.replace("RUN", str(made.run)).replace("DATA", str(made.data)) for word in arguments]
    done = netspec("eval", *words)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_a_device_that_is_not_here_is_an_error(made: Made, backend: str, netspec: Run) -> None:
    done = netspec("eval", made.run, "--data", made.data, "--device", "cuda", "--backend", backend)
    assert (done.code, done.out) == (3, "")
    assert "--device cuda: " in done.err


def test_no_file_of_a_run_is_replaced(made: Made, netspec: Run) -> None:
    kept = (made.run / "best.safetensors").read_bytes()
    netspec("eval", made.run, "--data", made.data, "--predictions", made.run / "best.safetensors")
    assert (made.run / "best.safetensors").read_bytes() == kept


def test_predictions_may_be_written_again(made: Made, tmp_path: Path, netspec: Run) -> None:
    netspec("eval", made.run, "--data", made.data, "--predictions", tmp_path / "a")
    first = read_predictions(tmp_path / "a")
    write_predictions(tmp_path / "a", first)
    netspec("eval", made.other, "--data", made.data, "--predictions", tmp_path / "a")
    assert not np.array_equal(read_predictions(tmp_path / "a").probabilities, first.probabilities)


@pytest.mark.parametrize("option", ["--views=10", "--split=train", "--batch=3", "--data=nowhere", "--backend=torch"])
def test_kept_predictions_take_no_options_of_nets(made: Made, tmp_path: Path, option: str, netspec: Run) -> None:
    netspec("eval", made.run, "--data", made.data, "--predictions", tmp_path / "a")
    done = netspec("eval", tmp_path / "a", *option.split("="))
    assert (done.code, done.out) == (2, "")
    assert f"{option.partition('=')[0]}: it does nothing with kept predictions alone" in done.err


def test_weights_of_another_net_are_refused(made: Made, tmp_path: Path, netspec: Run) -> None:
    shutil.copytree(made.run, tmp_path / "mixed")
    shutil.copy(made.smaller / "best.safetensors", tmp_path / "mixed")
    done = netspec("eval", tmp_path / "mixed", "--data", made.data)
    assert done.code == 4
    assert "`fc2.weight` of the net small is not in it, or has another shape" in done.err
