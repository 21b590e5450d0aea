"""The nets of an experiment: values put in, layers taken out, one for each choice and seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.diagnostics import SpecError
from netspec.experiment.load import load_experiment, load_experiment_source, shipped_experiments
from netspec.experiment.trials import make_trials
from netspec.source import Source, whole
from netspec.spec import load_spec
from netspec.spec.dump import dump, spec_hash
from netspec.spec.load import load_text, load_tree
from netspec.spec.removal import remove_layer
from netspec.syntax.reader import read_tree
from tests.experiment.made import EXPERIMENT, NET, loaded, write

HEAD = "experiment: 1\nname: small\nabout: a\ndata: shapes\nspec: tiny.yaml\nmeasure: {last: test}\nruns:\n"


def test_the_nets_of_figure_1_are_those_of_train_with_the_same_values(root: Path) -> None:
    path = shipped_experiments()["figure-1"]
    trials = make_trials(load_experiment(path), path.parent)
    plain = [
        spec_hash(load_spec(root / "specs" / f"cifar10-fig1-{neuron}.yaml", [f"train.lr={lr}", "train.epochs=200"]))
        for neuron, lr in (("relu", 0.001), ("relu", 0.002), ("tanh", 0.003), ("tanh", 0.01))
    ]
    assert [trial.hash for trial in trials] == plain
    assert [trial.until for trial in trials] == [0.25] * 4


def test_a_trial_is_called_by_its_run_its_values_and_its_seed(tmp_path: Path) -> None:
    experiment, _ = loaded(tmp_path)
    trials = make_trials(experiment, tmp_path, epochs=7, seeds=2)
    assert [t.label for t in trials][2:] == [
        "flat, lr=0.0005",
        "flat, lr=0.0005, seed 1",
        "flat, lr=0.001",
        "flat, lr=0.001, seed 1",
    ]
    assert [t.slug for t in trials][:3] == ["deep", "deep-seed1", "flat-lr-0.0005"]
    assert {t.compiled.spec.train.epochs for t in trials} == {7}
    assert [t.compiled.spec.seed for t in trials] == [0, 1, 0, 1, 0, 1]
    assert trials[0].until is None


def test_several_lists_give_every_combination(tmp_path: Path) -> None:
    _, trials = loaded(tmp_path, HEAD + "  a: {try: {train.lr: [0.1, 0.2], layers.conv1.pad: [1, [1, 1, 1, 0]]}}\n")
    assert [t.variant for t in trials] == [
        "lr=0.1, pad=1",
        "lr=0.1, pad=[1, 1, 1, 0]",
        "lr=0.2, pad=1",
        "lr=0.2, pad=[1, 1, 1, 0]",
    ]


def test_a_runs_own_values_come_after_those_of_all(tmp_path: Path) -> None:
    _, trials = loaded(tmp_path, HEAD.replace("runs:", "set: {seed: 1}\nruns:") + "  a: {}\n  b: {set: {seed: 2}}\n")
    assert [t.compiled.spec.seed for t in trials] == [1, 2]


def without(text: str, *names: str) -> str:
    source = Source("net.yaml", text)
    tree = read_tree(source)
    for name in names:
        tree = remove_layer(tree, name, whole(source))
    return dump(load_tree(source, tree))


def test_what_read_a_removed_layer_reads_its_input() -> None:
    by_hand = NET.replace("  conv2: {type: conv, inputs: conv1, filters: 8, stride: 2}\n", "")
    assert without(NET, "conv2") == dump(load_text(by_hand.replace("inputs: conv2", "inputs: conv1")))


def test_neighbours_can_go_together_in_any_order_and_lists_are_rewired() -> None:
    joined = NET.replace(
        "  fc3: {type: fc, inputs: conv2",
        "  cat: {type: concat, inputs: [conv2, conv1]}\n  fc3: {type: fc, inputs: cat",
    )
    assert "inputs: [data, data]" in without(joined, "conv1", "conv2")
    assert without(joined, "conv1", "conv2") == without(joined, "conv2", "conv1")


@pytest.mark.parametrize(
    ("name", "message", "advice"),
    [
        ("conv3", "there is no layer `conv3`", "did you mean `conv1`?"),
        ("cat", "`cat` does not read one layer", "set their `inputs` instead"),
    ],
)
def test_a_layer_that_cannot_be_removed_is_refused(name: str, message: str, advice: str) -> None:
    joined = NET.replace("  probs:", "  cat: {type: concat, inputs: [conv2, conv2]}\n  probs:")
    with pytest.raises(SpecError) as error:
        without(joined, name)
    (found,) = error.value.diagnostics
    assert found.code == "NS705"
    assert message in found.message
    assert found.help == advice


def test_a_net_that_no_longer_fits_says_which_run_made_it_so(tmp_path: Path) -> None:
    write(tmp_path)
    text = HEAD + "  good: {}\n  bad: {without: conv1, set: {layers.conv2.groups: 2}}\n"
    with pytest.raises(SpecError) as error:
        make_trials(load_experiment_source(Source("small.yaml", text)), tmp_path)
    (found,) = error.value.diagnostics
    assert found.code == "NS306"
    assert found.span.where == "small.yaml:9:52"  # the value that was set
    text = HEAD + "  bad: {without: conv1, set: {input.channels: 1}}\n"
    net = (tmp_path / "tiny.yaml").read_text().replace("filters: 8", "filters: 8, groups: 4")
    (tmp_path / "tiny.yaml").write_text(net)
    with pytest.raises(SpecError) as error:
        make_trials(load_experiment_source(Source("small.yaml", text)), tmp_path)
    (found,) = error.value.diagnostics
    assert found.span.source.name.endswith("tiny.yaml")
    assert found.notes[-1] == "in the run `bad` of small.yaml:8:3, without `conv1`"


@pytest.mark.parametrize(
    ("settings", "code", "where", "message"),
    [
        ("{layers.conv9.filters: 3}", "NS212", "8:20", "there is no layer `conv9`"),
        ('{"layers.conv9.filters": 3}', "NS212", "8:21", "there is no layer `conv9`"),
        ("{layers.conv1.filtres: 3}", "NS201", "8:26", "has no key `filtres`"),
        ("{layers.conv1.filters: many}", "NS203", "8:35", "must be a whole number"),
        ("{train..lr: 3}", "NS212", "8:13", "is no path of keys"),
        ("{train.lr.start.x: 3}", "NS212", "8:22", "nothing is below it"),
    ],
)
def test_a_wrong_value_is_shown_where_it_stands_in_the_experiment(
    tmp_path: Path, settings: str, code: str, where: str, message: str
) -> None:
    write(tmp_path)
    experiment = load_experiment_source(Source("small.yaml", HEAD + f"  a: {{set: {settings}}}\n"))
    with pytest.raises(SpecError) as error:
        make_trials(experiment, tmp_path)
    (found,) = error.value.diagnostics
    assert (found.code, found.span.where) == (code, f"small.yaml:{where}")
    assert message in found.message


def test_a_spec_beside_the_experiment_comes_before_a_built_in_one(tmp_path: Path) -> None:
    text = EXPERIMENT.replace("spec: tiny.yaml", "spec: lenet")
    (tmp_path / "lenet").write_text(NET)
    assert loaded(tmp_path, text)[1][0].compiled.spec.name == "tiny"
