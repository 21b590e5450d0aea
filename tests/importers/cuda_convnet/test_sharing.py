"""Weights of other layers, with the rates that they have then, and connections that are drawn."""

from __future__ import annotations

from netspec.layers.conv import Conv
from netspec.layers.fc import Fc
from netspec.source import Source
from netspec.spec.dump import dump
from netspec.spec.load import load_source
from tests.importers.cuda_convnet.nets import rates, sections
from tests.importers.cuda_convnet.small import imported, texts, topics


def test_weights_are_shared_through_chains() -> None:
    rows = """
    a: fc inputs=data outputs=192 initW=0.1
    b: fc inputs=a outputs=192 initW=0.1 weightSource=a
    c: fc inputs=a,b outputs=192 initW=0.1,0.2 weightSource=b[0],
    d: fc inputs=a,c outputs=192 initW=0.1,0.2 weightSource=c[1],d[0]
    """
    spec = imported(rows).spec
    b, c, d = (spec.layers[name] for name in "bcd")
    assert isinstance(b, Fc)
    assert isinstance(c, Fc)
    assert isinstance(d, Fc)
    assert b.share_weights == "a"
    assert [p.share_weights for p in c.per_input] == ["a", None]
    assert [p.share_weights for p in d.per_input] == ["c[1]", "c[1]"]
    assert spec.warnings == ()


def test_shared_weights_have_their_owners_rates() -> None:
    """Of c only the second input has weights of its own; the largest rate and decay are those of the first."""
    rows = """
    a: fc inputs=data outputs=192 initW=0.1
    b: fc inputs=a outputs=192 initW=0.1 weightSource=a
    c: fc inputs=a,b outputs=192 initW=0.1,0.2 weightSource=b,
    logprob: cost.sum2 inputs=c
    """
    of_b = "b: - epsW=7 epsB=0.04 momW=0.5 momB=0.9 wc=7"
    of_c = "c: - epsW=9,0.03 epsB=0.02 momW=0.5,0.9 momB=0.9 wc=7,0.0005"
    done = imported(rows, rates("a") + sections(f"{of_b}\n{of_c}\nlogprob: - coeff=1"))
    a, b, c = (done.spec.layers[name] for name in "abc")
    assert isinstance(a, Fc)
    assert isinstance(b, Fc)
    assert isinstance(c, Fc)
    assert (done.spec.train.lr, done.spec.train.lr_b, done.spec.train.decay) == (0.01, 0.02, 0.0005)
    assert [(layer.lr_w, layer.lr_b, layer.decay) for layer in (a, b, c)] == [(1, 1, None), (1, 2, None), (3, 1, None)]
    assert done.spec.warnings == ()
    assert texts(done, "momentum") == []


def test_what_is_drawn_is_drawn_the_same_and_reads_each_channel_as_often() -> None:
    rows = "".join(
        f"{name}: conv inputs=data channels=6 filters=4 filterSize=3 groups=3 randSparse=1 filterChannels=4 initW=0.1\n"
        for name in ("one", "two")
    )
    first, second = imported(rows), imported(rows)
    drawn = {name: layer.connections for name, layer in first.spec.layers.items() if isinstance(layer, Conv)}
    again = {name: layer.connections for name, layer in second.spec.layers.items() if isinstance(layer, Conv)}
    assert drawn == again
    assert drawn["one"] != drawn["two"]
    for connections in drawn.values():
        assert connections is not None
        assert sorted(connections) == sorted([*range(6)] * 2)
        assert len(set(connections[:6])) == 6


def test_the_source_of_2014_draws_nothing() -> None:
    row = "a: conv inputs=data channels=6 filters=4 filterSize=3 groups=3 randSparse=1 initW=0.1 sumWidth=1"
    done = imported(row)
    layer = done.spec.layers["a"]
    assert isinstance(layer, Conv)
    assert (layer.groups, layer.connections) == (3, None)
    assert topics(done, "dropped")[-2:] == [("connections", "a"), ("tuning", "a")]


def test_the_connections_of_very_many_channels_stand_in_lines_that_can_be_read() -> None:
    """More than a line of a spec may hold."""
    rows = """
    a: conv inputs=data channels=3 filters=2048 filterSize=1 initW=0.1
    b: conv inputs=a channels=2048 filters=2 filterSize=1 groups=8 filterChannels=512 randSparse=1 initW=0.1
    """
    spec = imported(rows).spec
    layer = spec.layers["b"]
    assert isinstance(layer, Conv)
    assert layer.connections is not None
    assert len(layer.connections) == 4096
    assert load_source(Source("net.yaml", dump(spec))).layers == spec.layers


def test_filter_channels_without_rand_sparse_say_nothing() -> None:
    rows = "a: conv inputs=data channels=6 filters=4 filterSize=3 groups=3 filterChannels={} initW=0.1\n"
    assert texts(imported(rows.format(2)), "connections") == []
    done = imported(rows.format(6))
    layer = done.spec.layers["a"]
    assert isinstance(layer, Conv)
    assert layer.connections is None
    assert texts(done, "connections") == [
        "`filterChannels` is for `randSparse` layers: each group reads its 2 channels"
    ]
