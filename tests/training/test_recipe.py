"""What training is told about a spec: rates, rules, pictures, source; and which specs it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import cross_entropy

from netspec.diagnostics import SpecError
from netspec.pipeline import Compiled, compile_file, compile_spec
from netspec.proof.modules import load_classes
from netspec.spec import load_text
from netspec.spec.shipped import find_spec
from netspec.training import generated_source, picture_recipe, training_recipe
from netspec_runtime.card import Channels
from netspec_runtime.training.net import LocalNet
from netspec_runtime.training.optimizer import PaperSGD, parameter_groups
from netspec_runtime.training.recipe import PictureRecipe, RateRule

NET = """
netspec: 1
name: net
input: {{size: 8}}
{top}
layers:
  conv1: {{type: conv, inputs: data, filters: 4, size: 3, {conv1}}}
  norm1: {{type: batchnorm, inputs: conv1}}
  fc2: {{type: fc, inputs: norm1, outputs: 6, {fc2}}}
  probs: {{type: softmax, inputs: fc2}}
"""


def compiled(top: str = "", conv1: str = "pad: 1", fc2: str = "bias: true") -> Compiled:
    return compile_spec(load_text(NET.format(top=top, conv1=conv1, fc2=fc2)))


def shipped(name: str, *assignments: str) -> Compiled:
    return compile_file(find_spec(name), assignments)


def rules(net: Compiled) -> dict[str, tuple[bool, float, float]]:
    return {r.name: (r.bias, r.rate, r.decay) for r in training_recipe(net).rules}


def test_the_recipe_of_the_paper() -> None:
    recipe = training_recipe(shipped("alexnet"))
    assert (recipe.batch, recipe.epochs, recipe.momentum, recipe.seed) == (128, 90, 0.9, 0)
    assert recipe.lr == recipe.lr_b == RateRule(0.01, 10, "plateau", 3, 5)
    names = [f"{layer}.{kind}" for layer in _LEARNED for kind in ("weight", "bias")]
    assert [rule.name for rule in recipe.rules] == names
    assert {(r.bias, r.rate, r.decay) for r in recipe.rules} == {(False, 1.0, 0.0005), (True, 1.0, 0.0)}
    assert all(rule.bias == rule.name.endswith("bias") for rule in recipe.rules)


_LEARNED = [*(f"conv{i}" for i in range(1, 6)), "fc6", "fc7", "fc8"]


def test_the_recipe_of_the_authors_cifar_net() -> None:
    recipe = training_recipe(shipped("cifar10-18pct"))
    assert recipe.lr == RateRule(0.001, 10, (120, 130))
    assert rules(shipped("cifar10-18pct")) == {
        **{f"conv{i}.weight": (False, 1.0, 0.004) for i in (1, 2, 3)},
        **{f"conv{i}.bias": (True, 2.0, 0.0) for i in (1, 2, 3)},
        "fc10.weight": (False, 1.0, 1.0),
        "fc10.bias": (True, 2.0, 0.0),
    }


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("0.02", RateRule(0.02)),
        ("{start: 0.1, when: plateau, patience: 2, times: 1}", RateRule(0.1, 10, "plateau", 1, 2)),
        ("{start: 0.1, curve: jdexp, divide: 250, levels: 6}", RateRule(0.1, 250, curve="jdexp", levels=6)),
    ],
)
def test_rates_are_those_of_the_language(written: str, rate: RateRule) -> None:
    alone = training_recipe(compiled(f"train: {{lr: {written}}}"))
    assert (alone.lr, alone.lr_b) == (rate, rate)
    both = training_recipe(compiled(f"train: {{lr: 0.5, lr_b: {written}}}"))
    assert (both.lr, both.lr_b) == (RateRule(0.5), rate)


def test_batch_normalisation_learns_and_never_decays_and_statistics_have_no_rule() -> None:
    assert rules(compiled("train: {decay: 0.1}", conv1="decay: 0.2, lr_w: 3, lr_b: 0")) == {
        "conv1.weight": (False, 3.0, 0.2),
        "conv1.bias": (True, 0.0, 0.0),
        "norm1.weight": (False, 1.0, 0.0),
        "norm1.bias": (True, 1.0, 0.0),
        "fc2.weight": (False, 1.0, 0.1),
        "fc2.bias": (True, 1.0, 0.0),
    }


def test_a_decay_of_zero_is_not_the_default() -> None:
    assert rules(compiled("train: {decay: 0.1}", fc2="decay: 0"))["fc2.weight"] == (False, 1.0, 0.0)


TIED = """
netspec: 1
name: tied
input: {size: 4, channels: 4}
layers:
  a: {type: conv, inputs: data, filters: 4, size: 3, pad: 1, share_weights: b, lr_b: 2, gpu: [0, 1]}
  b: {type: conv, inputs: a, filters: 4, size: 3, pad: 1, lr_w: 5, decay: 0.5}
  probs: {type: softmax, inputs: b}
"""


def test_shared_weights_follow_their_owner() -> None:
    found = rules(compile_spec(load_text(TIED)))
    assert found == {"a.bias": (True, 2.0, 0.0), "b.weight": (False, 5.0, 0.5), "b.bias": (True, 1.0, 0.0)}


def test_a_weight_whose_owner_comes_later_is_trained_once_and_alike_on_one_device_and_on_two() -> None:
    net = compile_spec(load_text(TIED))
    recipe, images = training_recipe(net), torch.randn(6, 4, 4, 4)
    nets = [LocalNet(generated_source(net), "Tied", devices) for devices in (("cpu",), ("cpu", "cpu"))]
    start = nets[0].collect(nets[0].module.state_dict())
    assert sorted(start) == ["a.bias", "b.bias", "b.weight"]
    ends = []
    for local in nets:
        local.module.load_state_dict(local.distribute(start), strict=False)
        optimizer = PaperSGD(parameter_groups(recipe.rules, local.parameters(), local.canonical), recipe.momentum)
        for _ in range(3):
            optimizer.zero_grad()
            scores = local.logits(images)
            assert scores is not None
            torch.autograd.backward(cross_entropy(scores, torch.arange(6)))
            optimizer.set_rates(0.01, 0.01)
            optimizer.step()
        ends.append(local.collect(local.module.state_dict()))
        assert not torch.equal(ends[-1]["b.weight"], start["b.weight"])
    for name in start:
        torch.testing.assert_close(ends[1][name], ends[0][name], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("devices", [("cpu",), ("cpu", "cpu")])
def test_every_parameter_of_the_module_has_its_rule_and_learns_by_it(devices: tuple[str, ...]) -> None:
    net = compiled("train: {lr: 0.5}", conv1="lr_w: 0, lr_b: 0, gpu: [0, 1]", fc2="lr_b: 2, gpu: [1, 0]")
    local = LocalNet(generated_source(net), "Net", devices)
    recipe = training_recipe(net)
    before = {n: p.detach().clone() for n, p in local.parameters().items()}
    optimizer = PaperSGD(parameter_groups(recipe.rules, local.parameters(), local.canonical), recipe.momentum)
    scores = local.logits(torch.randn(5, 3, 8, 8))
    assert scores is not None
    torch.autograd.backward(cross_entropy(scores, torch.arange(5)))
    optimizer.set_rates(0.5, 0.5)
    optimizer.step()
    changed = {local.canonical(n) for n, p in local.parameters().items() if not torch.equal(p, before[n])}
    assert changed == {"norm1.weight", "norm1.bias", "fc2.weight", "fc2.bias"}


def test_rules_are_in_the_order_of_the_state() -> None:
    for name in ("alexnet", "vgg16", "cifar10-conv-local"):
        net = shipped(name)
        module = load_classes(generated_source(net), net.spec.name)[0]
        with torch.device("meta"):
            names = [n for n, _ in module().named_parameters()]
        assert [rule.name for rule in training_recipe(net).rules] == names


def test_the_pictures_of_the_paper() -> None:
    assert picture_recipe(shipped("alexnet")) == PictureRecipe(
        prepared=(256, 256),
        crop=(224, 224),
        channels=Channels.RGB,
        mirror=True,
        mean="image",
        std=None,
        noise=0.1,
        noise_of="eigenvalue",
        test_views=10,
    )


def test_without_resize_pictures_have_the_size_of_the_input() -> None:
    found = picture_recipe(shipped("cifar10-18pct"))
    assert (found.prepared, found.crop, found.mirror, found.test_views) == ((32, 32), (32, 32), False, 1)


def test_one_channel_is_grey() -> None:
    text = NET.format(top="data: {mean: [33], std: [2]}", conv1="pad: 1", fc2="bias: true")
    found = picture_recipe(compile_spec(load_text(text.replace("{size: 8}", "{size: [8, 9], channels: 1}"))))
    assert (found.channels, found.crop, found.mean, found.std) == (Channels.GREY, (8, 9), (33.0,), (2.0,))


NO_WEIGHTS = "netspec: 1\nname: n\ninput: {size: 4}\nlayers: {a: {type: softmax, inputs: data}}\n"
PLAIN = {"conv1": "pad: 1", "fc2": "bias: true"}


@pytest.mark.parametrize(
    ("text", "check", "place", "words"),
    [
        (NO_WEIGHTS, training_recipe, "layers", "no layer has weights"),
        (NET.format(top="outputs: [probs, fc2]", **PLAIN), training_recipe, "[probs, fc2]", "`probs` is a softmax"),
        (NET.format(top="data: {channels: grey}", **PLAIN), picture_recipe, "grey", "and the input has 3"),
    ],
)
def test_what_cannot_be_trained_is_refused_at_its_place(
    text: str, check: Callable[[Compiled], object], place: str, words: str
) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        check(compile_spec(load_text(text)))
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.text) == ("NS606", place)


TWO_ENDS = """
netspec: 1
name: n
input: {{size: 8}}
{top}
layers:
  fc1: {{type: fc, inputs: data, outputs: 3}}
  fc2: {{type: fc, inputs: data, outputs: 3}}
  probs: {{type: softmax, inputs: fc1}}
  aux: {{type: softmax, inputs: fc2}}
"""


def test_the_advice_for_two_softmaxes_leads_to_a_net_that_is_trained() -> None:
    """From the first refusal on, each time as it says."""
    top, told = "", []
    for code in ("NS304", "NS606"):
        with pytest.raises(SpecError) as caught:
            training_recipe(compile_spec(load_text(TWO_ENDS.format(top=top))))
        (found,) = caught.value.diagnostics
        assert found.code == code
        top = re.findall(r"`(outputs: .*?)`", found.help or "")[0]
        told.append(top)
    assert told == ["outputs: [probs, aux]", "outputs: [fc1, probs, aux]"]
    assert training_recipe(compile_spec(load_text(TWO_ENDS.format(top=top)))).rules


def test_a_softmax_of_the_input_has_no_scores_to_name() -> None:
    text = NO_WEIGHTS.replace("data}}", "data}, b: {type: fc, inputs: data, outputs: 2}}")
    with pytest.raises(SpecError) as caught:
        training_recipe(compile_spec(load_text(text.replace("layers", "outputs: [a, b]\nlayers"))))
    assert [found.help for found in caught.value.diagnostics] == ["let the net end in `a` alone"]


@pytest.mark.parametrize("gpu", ["[0, 1]", "[1, 0]"])
def test_a_softmax_over_two_devices_still_leaves_scores_for_the_loss(gpu: str) -> None:
    text = NET.format(top="", conv1="gpu: [0, 1]", fc2=f"gpu: {gpu}")
    net = compile_spec(load_text(text))
    assert net.placed.devices_of["probs"] != (0,)
    merged = LocalNet(generated_source(net), "Net", ("cpu",))
    split = LocalNet(generated_source(net), "Net", ("cpu", "cpu"))
    split.module.load_merged(merged.module.state_dict())  # type: ignore[operator]  # the generated class has it
    images = torch.randn(4, 3, 8, 8)
    wanted, found = merged.logits(images), split.logits(images)
    assert wanted is not None
    assert found is not None
    torch.testing.assert_close(found, wanted)
    assert not torch.allclose(found.sum(dim=1), torch.ones(4))  # probabilities would be


def test_a_net_without_a_softmax_gives_its_scores() -> None:
    text = NET.format(top="", conv1="pad: 1", fc2="bias: true").replace("  probs: {type: softmax, inputs: fc2}\n", "")
    net = compile_spec(load_text(text))
    assert training_recipe(net).rules
    scores = LocalNet(generated_source(net), "Net", ("cpu",)).logits(torch.randn(2, 3, 8, 8))
    assert scores is not None
    assert scores.shape == (2, 6)


def test_a_softmax_of_maps_takes_flat_scores() -> None:
    text = "netspec: 1\nname: n\ninput: {size: 4}\nlayers:\n  a: {type: conv, inputs: data, filters: 7, size: 4}\n"
    net = compile_spec(load_text(f"{text}  probs: {{type: softmax, inputs: a}}\n"))
    scores = LocalNet(generated_source(net), "N", ("cpu",)).logits(torch.randn(2, 3, 4, 4))
    assert scores is not None
    assert scores.shape == (2, 7)
