"""Runs that ended: resumed, ended early, taken as the start of another; rates that divide, and running statistics."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch

from netspec_runtime.training.checkpoint import read_best
from tests.e2e.runs import OFTEN, PER_EPOCH, SPEC, Server, last, metrics, outcome, steps, write_data

pytestmark = pytest.mark.slow
DATA = ("--data", "data")
NORMED = re.sub(r"  rnorm1: .*", "  rnorm1: {type: batchnorm, inputs: conv1}", SPEC)
PLATEAU = "train.lr={start: 0.00001, divide: 10, when: plateau, times: 3, patience: 1}"


def test_a_finished_run_has_nothing_left_to_do(server: Server, place: Path, unbroken: Path) -> None:
    before = outcome(unbroken)
    (unbroken / "model.onnx").unlink()
    done = server.run(place, "train", "--resume", "unbroken")
    assert done.code == 0, done.err
    assert "from step 48 of 48" in done.err
    assert outcome(unbroken) == before
    report = (
        r"tiny: test error [\d.]+%, the best, after epoch \d\nproof: .+\nwrote .+\nnext: netspec infer --onnx unbroken/"
    )
    assert re.match(report, done.out)


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("resume", [("--resume", "bare"), ("tiny.yaml", *DATA, "--out", "bare", "--resume", "auto")])
def test_a_run_whose_checkpoints_are_gone_is_left_as_it_is(
    server: Server, place: Path, unbroken: Path, ended: bool, resume: tuple[str, ...]
) -> None:
    """To begin again there would overwrite what it learned."""
    shutil.rmtree(place / "bare", ignore_errors=True)
    shutil.copytree(unbroken, place / "bare", ignore=shutil.ignore_patterns("step-*"))
    if not ended:
        (place / "bare" / "model.onnx").unlink()
    before = {path: path.read_bytes() for path in (place / "bare").rglob("*") if path.is_file()}
    done = server.run(place, "train", *resume)
    assert done.code == 4
    assert f"bare: it has {'ended' if ended else 'learned'}, and has no checkpoints any more to go on from" in done.err
    assert {path: path.read_bytes() for path in (place / "bare").rglob("*") if path.is_file()} == before


def test_a_run_that_ends_when_it_knows_enough(server: Server, place: Path, unbroken: Path) -> None:
    """It ends after the first epoch whose training error is low enough."""
    errors = [record["train_top1_error"] for record in metrics(unbroken) if record["kind"] == "epoch"]
    until = errors[2]
    epochs = 1 + next(epoch for epoch, error in enumerate(errors) if error <= until)
    arguments = ("train", "tiny.yaml", *DATA, "--out", "until", *OFTEN, "--until-error", until)
    assert server.run(place, *arguments).code == 0
    run = place / "until"
    assert last(run).step == epochs * PER_EPOCH
    whole = [record for record in metrics(unbroken) if record["step"] <= epochs * PER_EPOCH]
    assert [r for r in metrics(run) if r["kind"] != "event"] == [r for r in whole if r["kind"] != "event"]
    assert last(run).state["position"]["ended"]
    saved = outcome(run)
    assert server.run(place, "train", "--resume", "until").code == 0
    assert outcome(run) == saved
    assert server.run(place, "train", "--resume", "until", "--until-error", "0").code == 0  # given again, it replaces
    assert outcome(run)["tensors"] == outcome(unbroken)["tensors"]


def test_flags_of_the_start_hold_for_what_is_resumed(server: Server, place: Path) -> None:
    """`--resume DIR` alone goes on as the run began, if nothing else is said."""
    flags = (*OFTEN, "--parts", "3", "--views", "10", "--no-channels-last")
    assert server.run(place, "train", "tiny.yaml", *DATA, "--out", "whole", *flags).code == 0
    running = server.start(place, "train", "tiny.yaml", *DATA, "--out", "kept", *flags)
    running.until(lambda: max(steps(place / "kept"), default=0) >= 9)
    running.kill()
    assert server.run(place, "train", "--resume", "kept").code == 0
    assert outcome(place / "kept") == outcome(place / "whole")


def test_another_net_begins_with_the_weights(server: Server, place: Path, unbroken: Path) -> None:
    """With another classifier, and a first layer that stays as it is; killed before its first step, it still does."""
    spec = re.sub("outputs: 6", "outputs: 4", SPEC.replace("classes: 6", "classes: 4"))
    spec = spec.replace("name: tiny", "name: tuned").replace(
        "conv1: {type: conv,", "conv1: {type: conv, lr_w: 0, lr_b: 0,"
    )
    (place / "tuned.yaml").write_text(spec)
    write_data(place / "less", classes=4)
    arguments = ("train", "tuned.yaml", "--data", "less", "--init-from", "unbroken", *OFTEN)
    done = server.run(place, *arguments, "--out", "tuned")
    assert done.code == 0, done.err
    assert "from unbroken/best.safetensors: 4 of 6 tensors" in done.err
    assert re.search(r"not taken, so it starts as the spec says: fc3.weight is 4x(\d+) here, 6x\1 there", done.err)
    source, tuned = read_best(unbroken)[0], last(place / "tuned").weights
    for name in ("conv1.weight", "conv1.bias"):
        assert torch.equal(source[name], tuned[name])
    assert not torch.equal(source["conv2.weight"], tuned["conv2.weight"])
    killed = place / "tuned-again"
    running = server.start(place, *arguments, "--out", killed.name)
    running.until((killed / "tuned.yaml").exists)
    running.kill()
    begun = server.run(place, *arguments, "--out", killed.name, "--resume", "auto")
    assert begun.code == 0, begun.err
    other = (*arguments[: -len(OFTEN) - 1], "tuned", *OFTEN)
    refused = server.run(place, *other, "--out", killed.name, "--resume", "auto")
    wrong = "it began with the weights of .*unbroken, not with those of tuned; leave out --init-from to go on with it"
    assert (refused.code, bool(re.search(wrong, refused.err))) == (4, True), refused.err
    for name, tensor in last(killed).weights.items():
        assert torch.equal(tensor, tuned[name])


def reached(run: Path, step: int) -> bool:
    return max(steps(run), default=0) >= step


@pytest.mark.parametrize(("name", "text", "flags"), [("plateau", SPEC, ("--set", PLATEAU)), ("normed", NORMED, ())])
def test_all_state_goes_on(server: Server, place: Path, name: str, text: str, flags: tuple[str, ...]) -> None:
    """Killed twice; and once more on two devices."""
    (place / f"{name}.yaml").write_text(text)
    begin = ("train", f"{name}.yaml", *DATA, *OFTEN, "--set", "train.epochs=6", *flags)
    assert server.run(place, *begin, "--out", f"{name}-whole").code == 0
    run = place / f"{name}-killed"
    for step in (20, 50):
        running = server.start(place, *begin, "--out", run.name, "--resume", "auto")
        running.until(partial(reached, run, step))
        running.kill()
    assert server.run(place, "train", "--resume", run.name).code == 0
    whole = place / f"{name}-whole"
    assert outcome(run) == outcome(whole)
    if name == "plateau":
        rates = [record["lr"] for record in metrics(run) if record["kind"] == "epoch"]
        assert len(set(rates)) >= 2, rates
        assert any(record.get("event") == "rate" for record in metrics(run))
        assert last(run).state["position"]["weights"]["divisions"] >= 1
    else:
        running = server.start(place, *begin, "--out", "split", "--devices", "cpu,cpu")
        running.until(lambda: max(steps(place / "split"), default=0) >= 40)
        running.kill()
        assert server.run(place, "train", "--resume", "split", "--devices", "cpu").code == 0
        there = last(place / "split").weights
        assert any("mean" in key for key in there)
        assert all(float((there[key] - tensor).abs().max()) < 1e-5 for key, tensor in last(whole).weights.items())


def test_environment_and_arguments_are_kept(unbroken: Path) -> None:
    arguments = json.loads((unbroken / "arguments.json").read_text())
    assert arguments["command"][:2] == ["train", "tiny.yaml"]
    assert Path(arguments["data"]) == unbroken.parent / "data"
    assert arguments["flags"]["save_every"] == 3
    assert json.loads((unbroken / "environment.json").read_text())
