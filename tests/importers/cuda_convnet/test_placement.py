"""The devices of layers: inherited, of replicas, and what the rules of replicas do not allow."""

from __future__ import annotations

import pytest

from netspec.pipeline import compile_spec
from tests.importers.cuda_convnet.small import imported, texts


def test_devices_are_inherited_from_the_first_input() -> None:
    rows = """
    a: fc inputs=data outputs=4 initW=0.1 gpu=1
    b: fc inputs=data outputs=4 initW=0.1 gpu=0
    c: hs inputs=a keep=0.5
    d: fc inputs=b,c outputs=4 initW=0.1,0.1
    e: fc inputs=c,b outputs=4 initW=0.1,0.1
    f: concat inputs=d,e gpu=2
    logprob: cost.sum2 inputs=f
    """
    done = imported(rows)
    placed = compile_spec(done.spec).placed
    devices = {o.name: o.devices for o in done.origins if o.layer}
    assert devices == {"data": (), "a": (1,), "b": (0,), "c": (1,), "d": (0,), "e": (1,), "f": (2,)}
    assert {name: placed.devices_of[name] for name in "abcdef"} == {name: devices[name] for name in "abcdef"}
    assert [name for name, layer in done.spec.layers.items() if layer.gpu] == ["a", "b", "f"]


def test_a_layer_that_is_left_out_passes_its_device_on() -> None:
    rows = """
    a: fc inputs=data outputs=4 initW=0.1 gpu=0
    b: neuron inputs=a neuron=ident gpu=1
    c: fc inputs=b outputs=4 initW=0.1
    d: fc inputs=c outputs=4 initW=0.1
    """
    done = imported(rows)
    assert [(o.layer, o.devices) for o in done.origins[2:]] == [("a", (0,)), ("a", (1,)), ("c", (1,)), ("d", (1,))]
    assert [layer.gpu for layer in done.spec.layers.values()] == [(0,), (1,), None]


def test_replicas_are_told_once_each_way_and_are_no_split() -> None:
    rows = """
    conv1: conv inputs=data channels=3 filters=8 filterSize=3 initW=0.1 gpu=0,1
    conv2: conv inputs=conv1 channels=8 filters=8 filterSize=3 initW=0.1
    fc1: fc inputs=conv2 outputs=4 initW=0.1 gpu=1
    fc2: fc inputs=conv2 outputs=4 initW=0.1 gpu=0
    all: pass inputs=fc1,fc2 gpu=0
    logprob: cost.sum2 inputs=all gpu=0
    """
    done = imported(rows)
    gpus = {name: layer.gpu for name, layer in done.spec.layers.items()}
    assert gpus == {"conv1": None, "conv2": None, "fc1": (1,), "fc2": (0,), "all": (0,)}
    assert [o.devices for o in done.origins] == [(), (), (0, 1), (0, 1), (1,), (0,), (0,), (0,)]
    first, second = texts(done, "replicas")
    assert first.endswith("train SPEC --data DIR --mesh data=2`")
    assert second.endswith("train SPEC --data DIR --mesh trick=2`")


CONV = "conv inputs=data channels=3 filters=4 filterSize=3 initW=0.1"
FC = "outputs=4 initW=0.1"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (f"c: {CONV} gpu=0,1,2,3\na: fc inputs=c {FC} gpu=0,1\nd: fc inputs=c {FC} gpu=2,3", ""),
        (f"c: {CONV} gpu=0,1,2,3\na: fc inputs=c {FC} gpu=0,1,2", "3 replicas cannot share the parts that 4 give"),
        (
            f"b: {CONV} gpu=0,1\nc: {CONV} gpu=1\na: concat inputs=b,c gpu=0",
            "its inputs have 1 and 2 replicas",
        ),
        (
            f"c: {CONV} gpu=0,1\nb: fc inputs=c {FC}\na: fc inputs=c {FC} gpu=0",
            "it has 1 replica, and others that read the same layer have 2",
        ),
    ],
)
def test_the_rules_of_replicas(rows: str, said: str) -> None:
    done = imported(rows)
    faults = [r for r in done.remarks if r.topic == "replicas" and "the original refuses" in r.text]
    assert [(r.layer, r.text.partition(":")[0]) for r in faults] == ([("a", said)] if said else [])
