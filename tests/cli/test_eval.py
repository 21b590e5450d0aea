"""`netspec eval` on real pictures, with nets trained for a moment; its numbers against `infer` and plain counts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec_runtime.data.open import open_prepared
from netspec_runtime.data.prepare import Options, ensure_prepared
from netspec_runtime.training.predictions import read_predictions
from tests.cli.conftest import Run
from tests.cli.evaluated import Made, document, errors, make, trained_on
from tests.cli.runs import CLASSES, SIDE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("eval"))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raw pictures are prepared below the current folder."""
    monkeypatch.chdir(tmp_path)


def timeless(found: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from call to call."""
    for entry in found["results"]:
        entry["images_per_second"] = None
    found["data"]["path"] = ""
    return found


def test_the_nets_have_learned_and_make_errors(made: Made, netspec: Run) -> None:
    """Otherwise no test here says much."""
    runs = (made.run, made.other, made.bgr, made.smaller)
    found = [errors(one) for one in document(netspec("eval", *runs, "--data", made.data, "--json"))["results"]]
    assert all(0.05 < top1 < 0.75 for top1, _, _ in found)
    assert any(top5 > 0 for _, top5, _ in found)
    assert [count for _, _, count in found] == [48] * 4


@pytest.mark.parametrize("views", [1, 10])
def test_a_folder_and_the_same_prepared_give_the_same(made: Made, views: int, netspec: Run) -> None:
    flags = ("--views", views, "--json", "--per-class", "--confusions", 99)
    raw = document(netspec("eval", made.run, made.other, "--data", made.pictures, *flags))
    ready = document(netspec("eval", made.run, made.other, "--data", made.data, *flags))
    again = document(netspec("eval", made.run, made.other, "--data", made.pictures, *flags))
    assert timeless(raw) == timeless(ready) == timeless(again)


@pytest.mark.parametrize("views", [1, 10])
@pytest.mark.parametrize("name", ["run", "bgr", "smaller"])
def test_infer_on_the_files_agrees(made: Made, name: str, views: int, tmp_path: Path, netspec: Run) -> None:
    model = getattr(made, name) / "model.onnx"
    files = sorted((made.pictures / "val").glob("*/*.png"))
    answers = netspec("infer", "--onnx", model, "--views", views, "--top-k", 6, "--json", *files)
    results = {Path(one["path"]): one["predictions"] for one in document(answers)["results"]}
    misses = sum(results[file][0]["label"] != file.parent.name for file in files)
    misses5 = sum(file.parent.name not in [p["label"] for p in results[file][:5]] for file in files)
    kept = tmp_path / "kept.safetensors"
    flags = ("--views", views, "--predictions", kept, "--json")
    found = document(netspec("eval", model, "--data", made.data, *flags))["results"][0]
    assert errors(found) == (misses / 48, misses5 / 48, 48)
    assert (found["backend"], found["views"]) == ("onnx", views)
    mine = read_predictions(kept).probabilities
    theirs = [[p["probability"] for p in sorted(results[file], key=lambda p: int(p["index"]))] for file in files]
    np.testing.assert_allclose(mine, theirs, atol=1e-6)


@pytest.mark.parametrize("views", [1, 10])
@pytest.mark.parametrize("name", ["run", "bgr", "smaller"])
def test_torch_and_onnxruntime_agree_on_all_pictures(
    made: Made, name: str, views: int, tmp_path: Path, netspec: Run
) -> None:
    """A run in both, and torch with the weights of the ONNX file alone."""
    run = getattr(made, name)
    tries = [(run, "torch"), (run, "onnx"), (run / "model.onnx", "torch")]
    found, kept = [], []
    for number, (model, backend) in enumerate(tries):
        file = tmp_path / f"{number}.safetensors"
        flags = ("--views", views, "--backend", backend, "--predictions", file, "--json", "--device", "cpu")
        found.append(document(netspec("eval", model, "--data", made.data, *flags))["results"][0])
        kept.append(read_predictions(file).probabilities)
    assert [entry["backend"] for entry in found] == ["torch", "onnx", "torch"]
    assert errors(found[0]) == errors(found[1]) == errors(found[2])
    np.testing.assert_allclose(kept[0], kept[1], atol=2e-6)
    assert np.array_equal(kept[0], kept[2])


@pytest.mark.parametrize("outputs", ["probs, pool1", "fc2, probs"])
def test_torch_and_onnxruntime_agree_on_a_net_of_several_outputs(
    made: Made, outputs: str, tmp_path: Path, netspec: Run
) -> None:
    """The first is judged, be it probabilities or scores."""
    text = next(made.run.glob("*.yaml")).read_text()
    (tmp_path / "two.yaml").write_text(text.replace("layers:", f"outputs: [{outputs}]\nlayers:", 1))
    weights = made.run / "best.safetensors"
    built = netspec("build", "two.yaml", "--weights", weights, "--set", "data.mean=[120, 120, 120]", "-o", "two")
    assert built.code == 0, built.err
    (model,) = (tmp_path / "two").glob("*.onnx")
    found = [
        document(netspec("eval", model, "--data", made.data, "--backend", backend, "--json"))["results"][0]
        for backend in ("torch", "onnx")
    ]
    assert errors(found[0]) == errors(found[1])
    assert found[0]["loss"] == pytest.approx(found[1]["loss"], rel=1e-5)


def test_each_model_has_the_views_of_its_spec(made: Made, netspec: Run) -> None:
    found = document(netspec("eval", made.run, made.bgr, "--data", made.data, "--json"))
    assert [entry["views"] for entry in found["results"]] == [1, 10]
    ten = document(netspec("eval", made.bgr, "--views", 10, "--data", made.data, "--json"))
    assert errors(found["results"][1]) == errors(ten["results"][0])


@pytest.mark.parametrize("weights", [None, "3,1,2,.5"])
def test_an_average_is_that_of_the_probabilities(made: Made, weights: str | None, tmp_path: Path, netspec: Run) -> None:
    """Of nets with other crops, colours and backends; in one call, and from files written before."""
    models = [made.run, made.other / "model.onnx", made.bgr, made.smaller]
    files = [tmp_path / f"{number}.safetensors" for number in range(4)]
    for model, file in zip(models, files, strict=True):
        netspec("eval", model, "--data", made.data, "--predictions", file)
    flags: Sequence[object] = ["--json", *(["--weights", weights] if weights else [])]
    together = document(netspec("eval", *models, "--data", made.data, "--predictions", tmp_path / "all", *flags))
    later = document(netspec("eval", *files, *flags))
    mixed = document(netspec("eval", models[0], *files[1:], "--data", made.data, *flags))
    shares = [float(w) / 6.5 for w in weights.split(",")] if weights else [0.25] * 4
    wanted = sum(s * read_predictions(f).probabilities.astype(np.float64) for s, f in zip(shares, files, strict=True))
    found = read_predictions(tmp_path / "all")
    np.testing.assert_allclose(found.probabilities, wanted, atol=1e-7)
    top1 = np.mean(np.argmax(wanted, axis=1) != found.labels)
    assert [one["average"]["top1_error"] for one in (together, later, mixed)] == [top1] * 3
    assert together["average"]["loss"] == pytest.approx(later["average"]["loss"], rel=1e-12)
    assert [one["weight"] for one in together["results"]] == pytest.approx(shares)
    assert [errors(one) for one in together["results"]] == [errors(one) for one in later["results"]]


def test_confusions_and_classes_are_those_of_a_plain_count(made: Made, tmp_path: Path, netspec: Run) -> None:
    kept = tmp_path / "kept"
    flags = ("--predictions", kept, "--per-class", "--confusions", 99, "--json")
    found = document(netspec("eval", made.run, "--data", made.data, *flags))
    guesses = read_predictions(kept).probabilities.argmax(axis=1)
    labels = open_prepared(made.data).splits["test"].labels
    pairs: dict[tuple[str, str], int] = {}
    for label, guess in zip(labels, guesses, strict=True):
        if label != guess:
            pair = (CLASSES[label], CLASSES[guess])
            pairs[pair] = pairs.get(pair, 0) + 1
    assert {(one["true_name"], one["predicted_name"]): one["count"] for one in found["confusions"]} == pairs
    counts = [one["count"] for one in found["confusions"]]
    assert counts == sorted(counts, reverse=True)
    for index, one in enumerate(found["classes"]):
        assert (one["name"], one["count"]) == (CLASSES[index], 8)
        assert one["top1_error"] == np.mean(guesses[labels == index] != index)
        assert one["predicted"] == np.sum(guesses == index)


def test_the_tables_say_the_same_as_the_document(made: Made, netspec: Run) -> None:
    flags = ("--data", made.data, "--per-class", "--confusions", 3)
    text = netspec("eval", made.run, made.other, *flags)
    found = document(netspec("eval", made.run, made.other, *flags, "--json"))
    lines = text.out.splitlines()
    assert lines[0] == f"{made.data}: split test, 48 labelled pictures, 6 classes"
    row = next(line for line in lines if line.startswith("average of 2"))
    average = found["average"]
    assert f"{average['top1_error']:.2%}" in row
    assert f"{average['loss']:.4f}" in row
    head = next(line for line in lines if "top-1 error" in line)
    assert row.index(f"{average['top1_error']:.2%}") + 6 >= head.index("top-1 error")
    first = found["confusions"][0]
    assert any(line.split() == [first["true_name"], "taken", "for", first["predicted_name"], str(first["count"])]
               for line in lines)  # fmt: skip
    assert sum(line.split()[:2] == [name, "8"] for line in lines for name in CLASSES) == 6


def test_a_class_folder_without_splits_is_taken_as_the_split(made: Made, netspec: Run) -> None:
    whole = document(netspec("eval", made.run, "--data", made.pictures, "--json"))
    part = document(netspec("eval", made.run, "--data", made.pictures / "val", "--json"))
    assert errors(whole["results"][0]) == errors(part["results"][0])
    assert part["data"]["split"] == "test"


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_data_of_some_classes_are_known_by_their_names(made: Made, backend: str, tmp_path: Path, netspec: Run) -> None:
    """The net may still answer any class."""
    some = [CLASSES[4], CLASSES[1]]
    for name in some:
        shutil.copytree(made.pictures / "val" / name, tmp_path / "some" / "val" / name)
    asked = ("eval", made.run, "--backend", backend, "--predictions")
    netspec(*asked, "whole", "--data", made.data)
    done = netspec(*asked, "part", "--data", "some", "--json")
    whole, part = read_predictions(Path("whole")), read_predictions(Path("part"))
    chosen = np.isin(whole.labels, [1, 4])
    np.testing.assert_array_equal(part.labels, whole.labels[chosen])
    np.testing.assert_allclose(part.probabilities, whole.probabilities[chosen], atol=1e-6)
    wrong = (part.probabilities.argmax(1) != part.labels).mean()
    assert document(done)["results"][0]["top1_error"] == pytest.approx(wrong)
    assert part.classes == tuple(CLASSES)
    assert f"{made.run}: the data have 2 of its 6 classes; it may answer any of these\n" in done.err


GREY = """
netspec: 1
name: grey
input: {channels: 1, size: 16}
classes: 6
layers:
  conv1: {type: conv, inputs: data, filters: 8, size: 5, stride: 2, neuron: relu, init_w: 0.02, gpu: [0, 1]}
  fc2: {type: fc, inputs: conv1, outputs: 6, init_w: 0.02, gpu: 0}
  probs: {type: softmax, inputs: fc2}
data: {resize: 20, mean: [120], std: [55]}
"""
STRETCHED = GREY.replace("channels: 1", "channels: 3").replace("resize: 20, mean: [120], std: [55]", "channels: bgr")


@pytest.mark.parametrize("text", [GREY, STRETCHED], ids=["grey", "stretched"])
@pytest.mark.parametrize("file", ["grey.onnx", "grey.gpu1.onnx"], ids=["whole", "split"])
def test_built_nets_of_other_forms_agree_with_infer(
    made: Made, text: str, file: str, tmp_path: Path, netspec: Run
) -> None:
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    assert netspec("build", tmp_path / "spec.yaml", "--split", "--no-check", "--out", tmp_path / "built").code == 0
    files = sorted((made.pictures / "val").glob("*/*.png"))
    answers = netspec("infer", "--onnx", tmp_path / "built" / file, "--top-k", 6, "--json", *files)
    wanted = [[p["probability"] for p in sorted(one["predictions"], key=lambda p: int(p["index"]))]
              for one in document(answers)["results"]]  # fmt: skip
    netspec("eval", tmp_path / "built" / file, "--data", made.pictures, "--predictions", tmp_path / "kept")
    np.testing.assert_allclose(read_predictions(tmp_path / "kept").probabilities, wanted, atol=1e-6)


def test_a_run_knows_its_data(made: Made, tmp_path: Path, netspec: Run) -> None:
    run = shutil.copytree(made.run, tmp_path / "run")
    (run / "arguments.json").write_text(json.dumps({"data": str(made.data)}), encoding="utf-8")
    named = document(netspec("eval", run, "--data", made.data, "--json"))
    found = document(netspec("eval", run, made.other, "--json"))
    assert found["data"] == named["data"]
    assert errors(found["results"][0]) == errors(named["results"][0])


@pytest.mark.parametrize("model", ["run", "run/model.onnx"])
@pytest.mark.parametrize("given", [False, True])
def test_pictures_that_a_run_learned_from_are_not_counted_elsewhere(
    made: Made, tmp_path: Path, model: str, given: bool, netspec: Run
) -> None:
    """Nothing is prepared in this folder, but the run says from what it learned."""
    source = made.pictures / "train"
    trained_on(source, made.run, tmp_path / "run")
    done = netspec("eval", model, "--json", *(["--data", source] if given else []))
    options = Options(side=SIDE, grey=False, holdout=0.1)
    test = ensure_prepared(source, tmp_path / "other", options, lambda done, total, bad: None).splits["test"]
    assert 0 < len(test) == document(done)["results"][0]["count"] < 48
    assert "split as it was to learn from it" in done.err


@pytest.mark.parametrize("name", ["run", "bgr"])
def test_a_run_that_has_not_ended_is_evaluated_too(made: Made, tmp_path: Path, name: str, netspec: Run) -> None:
    """With the mean image of the pictures that it learns from."""
    whole = trained_on(made.data, getattr(made, name), tmp_path / "whole")
    underway = trained_on(made.data, getattr(made, name), tmp_path / "underway")
    (underway / "model.onnx").unlink()
    done = netspec("eval", underway, "--json")
    found, wanted = document(done)["results"][0], document(netspec("eval", whole, "--json"))["results"][0]
    assert errors(found) == errors(wanted)
    assert (found["loss"], found["views"]) == (wanted["loss"], wanted["views"])
    assert "underway: its training has not ended, so these are the best weights so far" in done.err
