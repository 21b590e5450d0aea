"""Advice comes where a real net is flat or dead, once, and nowhere else; numbers that are not finite are seen."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from netspec_runtime.training.metrics import loss_text
from netspec_runtime.training.net import TrainableNet
from netspec_runtime.training.watch import DeadFilters, Diverged, FlatLoss, HighLoss, Watch, all_finite, not_finite


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine make these tiny steps a hundred times slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Net(nn.Module):
    """Two conv layers, the second without biases, and scores for 10 classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3)
        self.conv2 = nn.Conv2d(16, 8, 3, bias=False)
        self.fc = nn.Linear(8 * 4 * 4, 10)

    def forward(self, images: Tensor) -> Tensor:
        maps = functional.relu(self.conv2(functional.relu(self.conv1(images))))
        scores: Tensor = self.fc(maps.flatten(1))
        return scores


def train(net: Net, watch: Watch, steps: int, first: int = 0, rate: float = 0.02) -> list[tuple[int, str]]:
    """Learn which quarter of the picture is bright; (step, advice) for all that is said."""
    said = []
    for step in range(first, first + steps):
        generator = torch.Generator().manual_seed(step)
        labels = torch.randint(4, (16,), generator=generator)
        images = 0.3 * torch.randn(16, 3, 8, 8, generator=generator)
        for image, label in zip(images, labels.tolist(), strict=True):
            row, column = divmod(label, 2)
            image[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 1
        net.zero_grad()
        loss = functional.cross_entropy(net(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        gradients = {name: p.grad for name, p in net.named_parameters() if p.grad is not None}
        said += [(step, text) for text in watch.observe(step, float(loss.detach()), gradients)]
        with torch.no_grad():
            for name, parameter in net.named_parameters():
                parameter.sub_(rate * gradients[name])
    return said


def small_watch() -> Watch:
    return Watch(FlatLoss(10, warmup=20, window=30), HighLoss(10, window=15), DeadFilters(window=40, every=4))


def test_a_net_that_learns_is_left_alone() -> None:
    net = Net()
    assert train(net, small_watch(), 120) == []


def test_a_net_that_answers_all_alike_is_told_what_to_try_once() -> None:
    net = Net()
    with torch.no_grad():
        net.fc.weight.zero_()
    said = [(step, text) for step, text in train(net, small_watch(), 120, rate=0.0) if "ln(" in text]
    assert [step for step, _ in said] == [49]
    for part in ("ln(10) = 2.30", "step 50", "init_b 0.1", "init_w", "rate", "mean"):
        assert part in said[0][1]


@pytest.mark.parametrize(("steps", "expected"), [(48, 100), (390, 100), (745, 186), (2000, 500), (500_000, 1000)])
def test_a_short_run_is_told_while_most_of_it_is_left(steps: int, expected: int) -> None:
    flat = FlatLoss.of(10, steps)
    assert [step + 1 for step in range(1200) if flat.observe(step, math.log(10))] == [expected]


def test_a_short_run_that_is_slow_to_begin_is_left_alone() -> None:
    """As `cifar10-18pct` does in its first epoch."""
    flat = FlatLoss.of(10, 390)
    losses = [2.302, 2.300, 2.295, 2.284, 2.266, 2.215, 2.152, 2.108, 2.082, 2.033]  # means of ten steps
    assert [text for step in range(100) for text in flat.observe(step, losses[step // 10])] == []


def test_a_loss_that_moves_after_the_warmup_is_not_flat() -> None:
    flat = FlatLoss(1000, warmup=10, window=10)
    losses = [math.log(1000)] * 10 + [6.5] * 10 + [7.3] * 10
    assert [text for step, loss in enumerate(losses) for text in flat.observe(step, loss)] == []
    assert flat.observe(30, 6.9) == []
    assert len([text for step in range(31, 40) for text in flat.observe(step, 6.9)]) == 1


STD = {0: [], 1: ["`--set 'data.std=[64]'`"], 3: ["`--set 'data.std=[64, 64, 64]'`"]}


@pytest.mark.parametrize("unscaled", [0, 1, 3])
def test_a_net_that_is_worse_than_a_guess_is_told_what_to_try_once(unscaled: int) -> None:
    torch.manual_seed(0)
    net = Net()
    with torch.no_grad():
        net.fc.weight.mul_(1000)
    watch = Watch(FlatLoss(10), HighLoss(10, unscaled, window=15))
    said = [(step, text) for step, text in train(net, watch, 60, rate=0.0) if "guesses" in text]
    assert [step for step, _ in said] == [14]
    for part in ("at step 15", "ln(10) = 2.30", "init_w", "rate"):
        assert part in said[0][1]
    assert re.findall("Try one at a time: (`.*`) .without", said[0][1]) == STD[unscaled]


def test_a_loss_that_is_high_for_a_moment_is_no_news() -> None:
    high = HighLoss(10, window=10)
    losses = ([80.0] + [1.0] * 9) * 3 + [12.0] * 5 + [1.0] * 5
    assert [text for step, loss in enumerate(losses) for text in high.observe(step, loss)] == []
    assert [text for step in range(40, 48) for text in high.observe(step, 1.0)] == high.observe(48, 2e9) == []
    resumed = HighLoss(10, window=10).load(json.loads(json.dumps(high.state())))
    assert "the loss is 1e+09 at step 50" in resumed.observe(49, 1.0)[0]


def test_a_bad_start_that_is_over_is_no_news() -> None:
    """It would tell of 170 right below an epoch whose loss is 1."""
    high = HighLoss(3)
    losses = [850.0] * 10 + [1.0] * 40
    assert [text for step, loss in enumerate(losses) for text in high.observe(step, loss)] == []


def test_huge_losses_are_short() -> None:
    assert [loss_text(loss, 4) for loss in (2.30258, 99999.0, 4.628e25)] == ["2.3026", "99999.0000", "4.6e+25"]


def test_one_class_has_no_flat_loss() -> None:
    flat = FlatLoss(1, warmup=0, window=1)
    assert [flat.observe(step, 0.0) for step in range(5)] == [[]] * 5


def test_dead_filters_are_counted_by_layer_with_and_without_biases() -> None:
    net = Net()
    with torch.no_grad():
        net.conv1.bias[:5] = -100  # type: ignore[index]  # it has biases
        net.conv2.weight[[0, 3, 7]] = -1  # what it sees is never negative
    said = train(net, small_watch(), 120)
    assert [(step, text.partition(" had")[0]) for step, text in said] == [
        (39, "conv1: 5 of 16 filters"),
        (39, "conv2: 3 of 8 filters"),
    ]
    assert all("init_b" in text and "40 steps" in text for _, text in said)


def test_a_filter_that_moves_once_in_a_window_is_alive() -> None:
    dead = DeadFilters(window=10, every=1)
    gradient = torch.zeros(4)
    said = []
    for step in range(20):
        gradient = torch.zeros(4)
        if step % 10 < 3:
            gradient[step % 10] = 1e-30
        said += [(step, text.partition(" had")[0]) for text in dead.observe(step, {"conv1.bias": gradient})]
    assert said == [(9, "conv1: 1 of 4 filters")]


class Whole:
    """As much of a net as a watch knows: all names are the spec's."""

    @staticmethod
    def collect(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(tensors)

    distribute = collect


def short(steps: int) -> DeadFilters:
    return DeadFilters.of(steps, cast(TrainableNet, Whole))


@pytest.mark.parametrize(("steps", "told"), [(99, 100), (390, 100), (936, 234), (4000, 1000), (500_000, 1000)])
def test_a_short_run_hears_of_dead_filters_while_most_of_it_is_left(steps: int, told: int) -> None:
    dead = short(steps)
    gradients = {"conv1.bias": torch.tensor([0.0, 1.0])}
    assert [step + 1 for step in range(2000) if dead.observe(step, gradients)] == [told]


@pytest.mark.parametrize("steps", [390, 936, 4000])
def test_filters_that_few_pictures_move_are_alive_in_short_runs_too(steps: int) -> None:
    """Each in three of a hundred batches, as units of a net that learns in batches of eight do."""
    dead, generator = short(steps), torch.Generator().manual_seed(0)
    moves = (torch.rand(2000, 256, generator=generator) < 0.03).float()
    assert [dead.observe(step, {"fc6.bias": moves[step]}) for step in range(2000)] == [[]] * 2000


@pytest.mark.parametrize("start", [0, 1, 4, 5, 9])
def test_of_a_window_that_was_not_seen_whole_nothing_is_said(start: int) -> None:
    """Steps 0 and 5 are looked at; a run that begins at 1 has missed nothing only where 0 was seen before."""
    dead = DeadFilters(window=10, every=5)
    said = [dead.observe(step, {"conv1.bias": torch.tensor([0.0, 1.0])}) for step in range(start, 10)]
    assert len(said[-1]) == (1 if start == 0 else 0)
    said = [dead.observe(step, {"conv1.bias": torch.tensor([0.0, 1.0])}) for step in range(10, 20)]
    assert len(said[-1]) == (0 if start == 0 else 1)


def test_a_few_dead_filters_are_no_news() -> None:
    dead = DeadFilters(window=2, every=1)
    gradient = torch.ones(100)
    gradient[:9] = 0
    assert [dead.observe(step, {"fc.bias": gradient}) for step in range(4)] == [[]] * 4
    gradient[9] = 0
    assert [len(dead.observe(step, {"fc.bias": gradient})) for step in range(4, 8)] == [0, 1, 0, 0]


@pytest.mark.parametrize("stop", [1, 33, 47, 60])
def test_a_resumed_run_says_the_same_at_the_same_step(stop: int) -> None:
    def start() -> Net:
        torch.manual_seed(0)
        net = Net()
        with torch.no_grad():
            net.conv1.bias[:5] = -100  # type: ignore[index]  # it has biases
            net.fc.weight.zero_()
        return net

    unbroken = train(start(), small_watch(), 100, rate=0.0)
    watch, net = small_watch(), start()
    said = train(net, watch, stop, rate=0.0)
    resumed = small_watch().load(json.loads(json.dumps(watch.state())))
    assert said + train(net, resumed, 100 - stop, stop, rate=0.0) == unbroken
    assert len(unbroken) == 3  # flat; nothing flows back through the zero weights, so all of conv1 and conv2 is dead


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 3e38])
def test_a_number_that_is_not_finite_is_seen_anywhere(bad: float) -> None:
    tensors = {"a": torch.randn(3, 4), "b": torch.randn(100), "c": torch.randn(2, 2, 2), "n": torch.tensor(3)}
    floats = [tensors[name] for name in "abc"]
    assert all_finite(floats)
    assert not_finite(tensors) == []
    tensors["b"][77] = bad
    assert not all_finite(floats)  # whose square overflows is lost as well
    assert not_finite(tensors) == ([] if bad == 3e38 else ["b"])


def test_a_divergence_names_step_pictures_and_the_last_checkpoint() -> None:
    error = Diverged(17, "the loss is nan", range(100, 228), "runs/net/checkpoints/step-10.json")
    assert error.exit_code == 5
    assert error.ids[:2] == (100, 101)
    assert str(error) == (
        "step 17: the loss is nan on training pictures 100, 101, 102, 103, 104, 105, 106, 107 and 120 more; the last "
        "good checkpoint is runs/net/checkpoints/step-10.json; try a lower rate, a smaller init_w or a larger batch"
    )
    assert "nothing was saved yet" in str(Diverged(0, "the loss is nan", [3]))
    assert f"try {STD[3][0]} (without" in str(Diverged(0, "the loss is nan", [3], unscaled=3))
