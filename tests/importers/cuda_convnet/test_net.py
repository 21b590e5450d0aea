"""What becomes of a definition beside its layers' numbers: names, outputs, input, devices, remarks, what is lost."""

from __future__ import annotations

import pytest

from netspec.diagnostics import SpecError
from netspec.layers.combine import EltSum
from netspec.layers.conv import Conv
from netspec.layers.dropout import Dropout
from netspec.layers.fc import Fc
from netspec.layers.rnorm import ResponseNorm
from tests.importers.cuda_convnet.nets import rates
from tests.importers.cuda_convnet.small import END, FC, imported, topics


def test_the_plainest_net() -> None:
    done = imported(END)
    spec = done.spec
    assert (spec.name, spec.classes, spec.outputs, spec.input.name) == ("my-net", 10, (), "data")
    assert [(o.name, o.type, o.layer, o.devices) for o in done.origins] == [
        ("data", "data", "data", ()),
        ("labels", "data", "", ()),
        ("fc1", "fc", "fc1", ()),
        ("probs", "softmax", "probs", ()),
        ("logprob", "cost.logreg", "", ()),
    ]
    assert topics(done, "dropped") == [("labels", "labels"), ("cost", "logprob")]
    assert topics(done, "lost") == []


def test_places_are_in_the_file() -> None:
    spec = imported("conv1: conv inputs=data channels=3 filters=7 filterSize=3 initW=0.1 stride=2\n" + END).spec
    assert spec.spans.value("layers", "conv1", "filters").text == "7"
    assert spec.spans.value("layers", "conv1", "stride").where == "nets/my net.cfg:14:8"


def test_the_languages_own_errors_point_into_the_file() -> None:
    with pytest.raises(SpecError) as raised:
        imported("conv1: conv inputs=data channels=3 filters=7 filterSize=2000 padding=1000 initW=0.1\n" + END)
    (found,) = raised.value.diagnostics
    assert (found.code, found.span.text) == ("NS204", "2000")


@pytest.mark.parametrize(
    ("size", "rows", "side"),
    [(None, END, 32), (None, END.replace("10", "11"), 224), (24, END, 24), (48, END, 48), (112, END, 112)],
)
def test_the_size_of_the_input(size: int | None, rows: str, side: int) -> None:
    done = imported(rows, size=size)
    assert done.spec.input.size == (side, side)
    assert [r.topic for r in done.remarks if "--size" in r.text] == (["size"] if size is None else [])
    data = done.spec.data
    assert data.mean == "image"
    photos = {224: (256, (224, 224), True, 10), 112: (128, (112, 112), True, 10)}
    expected = {**photos, 48: (None, None, False, 1), 32: (None, None, False, 1), 24: (32, (24, 24), True, 1)}
    assert (data.resize, data.crop, data.mirror, data.test_views) == expected[side]
    (said,) = [r.text for r in done.remarks if r.topic == "data"]
    assert ("from the authors' programs" in said) == (side in (224, 32, 24))


@pytest.mark.parametrize(("channels", "order"), [(1, "grey"), (3, "rgb")])
def test_the_channels_of_the_input(channels: int, order: str) -> None:
    done = imported(f"conv1: conv inputs=data channels={channels} filters=8 filterSize=3 initW=0.1\n" + END, size=224)
    assert (done.spec.input.channels, done.spec.data.channels) == (channels, order)
    assert (done.spec.data.mean_color is None) == (channels == 1)


def test_names_that_the_language_does_not_have() -> None:
    done = imported(
        "conv-1: conv inputs=data channels=3 filters=8 filterSize=3 initW=0.1\n"
        "data.2: fc inputs=conv-1 outputs=3 initW=0.1\n"
        "soft: softmax inputs=data.2\nc: cost.logreg inputs=labels,soft\n",
        rates("conv-1", "data.2", more="c: - coeff=1"),
    )
    assert list(done.spec.layers) == ["conv_1", "data_2", "soft"]
    assert topics(done, "meaning")[:2] == [("name", "conv-1"), ("name", "data.2")]
    assert [origin.layer for origin in done.origins] == ["data", "", "conv_1", "data_2", "soft", ""]


def test_outputs_are_what_costs_judge_and_what_nothing_reads() -> None:
    """The softmax is judged and read; fc2 is read by nothing."""
    done = imported(END + "fc2: fc inputs=probs outputs=3 initW=0.1\n")
    assert done.spec.outputs == ("probs", "fc2")
    assert ("unused", "fc2") in topics(done, "meaning")
    done = imported(FC)
    assert (done.spec.outputs, topics(done, "meaning")) == ((), [("data", "data"), ("flatten", "fc1")])


@pytest.mark.parametrize(
    ("rows", "params", "factors"),
    [
        ("a: eltsum inputs=b,b coeffs=1,2\nc: hs inputs=a keep=1", "a: - coeffs=3,4\nc: - enable=1", (1, 2)),
        ("a: eltsum inputs=b,b\nc: hs inputs=a keep=1", "a: - coeffs=3,4\nc: - enable=1", ()),
        ("a: eltsum inputs=b,b coeffs=1,2\nc: dropout inputs=a", "a: - coeffs=3,4\nc: - keep=1", (3, 4)),
        ("a: eltsum inputs=b,b coeffs=1,2\nc: dropout inputs=a", "c: - keep=1", ()),
        ("a: eltsum inputs=b,b coeffs=1,2\nc: neuron inputs=a neuron=relu", "", (1, 2)),
        ("a: eltsum inputs=b,b\nc: neuron inputs=a neuron=relu", "a: - coeffs=3,4", (3, 4)),
    ],
)
def test_coefficients_stand_in_the_definition_until_2012(rows: str, params: str, factors: tuple[float, ...]) -> None:
    first = "b: neuron inputs=data neuron=abs\n"
    layer = imported(f"{first}{rows}\nlogprob: cost.sum2 inputs=c", rates(more=params)).spec.layers["a"]
    assert isinstance(layer, EltSum)
    assert layer.coefficients == factors


def test_how_weights_and_biases_start() -> None:
    rows = """
    a: fc inputs=data outputs=4 initW=0.5 initB=-1 initWFunc=initw.makew(conv1)
    b: fc inputs=data,a outputs=4 initW=0.5,0.25
    c: fc inputs=data,a outputs=4 initW=0.5,0.5
    """
    done = imported(rows)
    a, b, c = (done.spec.layers[name] for name in "abc")
    assert isinstance(a, Fc)
    assert isinstance(b, Fc)
    assert isinstance(c, Fc)
    assert (a.init_w.value, a.init_b) == (0.5, -1)
    assert ("start", "a") in topics(done, "dropped")
    assert [p.init_w.value for p in b.per_input if p.init_w] == [0.5, 0.25]
    assert (c.init_w.value, c.per_input) == (0.5, ())


def test_a_spread_below_zero_is_the_same_distribution() -> None:
    layer = imported("a: fc inputs=data outputs=4 initW=-0.5").spec.layers["a"]
    assert isinstance(layer, Fc)
    assert layer.init_w.value == 0.5


@pytest.mark.parametrize(
    ("params", "rate", "scale", "kind"),
    [
        ("enable=true keep=0.8", 0.2, "test", "dropout2"),
        ("keep=0.8", 0.2, "train", "dropout"),
        ("enable=1", 0.5, "train", "dropout"),
    ],
)
def test_dropout(params: str, rate: float, scale: str, kind: str) -> None:
    spec = imported(
        f"drop1: {kind} inputs=data\nlogprob: cost.sum2 inputs=drop1", rates(more=f"drop1: - {params}")
    ).spec
    layer = spec.layers["drop1"]
    assert isinstance(layer, Dropout)
    assert (layer.rate, layer.scale) == (rate, scale)


def test_the_ties_of_maxima_are_told_once() -> None:
    row = "{}: pool inputs=data channels=3 pool={} sizeX=3 stride=2\n"
    rows = "".join(row.format(name, kind) for name, kind in (("a", "avg"), ("b", "max"), ("c", "max"), ("d", "maxabs")))
    assert [one for one in topics(imported(rows), "dropped") if one[0] == "ties"] == [("ties", "b")]


def test_the_constant_of_a_norm_by_dialect() -> None:
    """In 2012 `minDiv` was read for cmrnorm only."""
    norms = "same: rnorm inputs=data channels=3 size=3\nacross: cmrnorm inputs=same channels=3 size=3\n"
    more = "same: - scale=1 pow=1 minDiv=2\nacross: - scale=1 pow=1 minDiv=2"
    conv = "conv1: conv inputs=across channels=3 filters=8 filterSize=3 initW=0.1 {}=1\nlogprob: cost.sum2 inputs=conv1"
    found = {}
    for year, tuning in (("2012", "partialSum"), ("2014", "sumWidth")):
        layers = imported(norms + conv.format(tuning), rates("conv1", more=more)).spec.layers
        found[year] = [layer.k for layer in layers.values() if isinstance(layer, ResponseNorm)]
    assert found == {"2012": [1, 2], "2014": [2, 2]}


def test_one_value_for_several_inputs_is_of_2014() -> None:
    rows = "a: conv inputs=data,data channels=3 filters=4 filterSize=3 initW=0.1 {}=1\n"
    assert isinstance(imported(rows.format("sumWidth")).spec.layers["a"], Conv)
    with pytest.raises(SpecError, match=r"`channels` has 1 value for 2 inputs \[NS808\]"):
        imported(rows.format("partialSum"))


def test_unknown_options_are_dropped_with_a_guess() -> None:
    done = imported("a: fc inputs=data outputs=4 initW=0.1 neurn=relu colour=red\n")
    texts = [r.text for r in done.remarks if r.topic == "option"]
    assert len(texts) == 2
    assert "did you mean `neuron`?" in texts[0]


def test_options_that_data_and_costs_do_not_have() -> None:
    """Costs and data have no neuron, and data are on no device."""
    done = imported(
        "more: data dataIdx=0 neuron=relu gpu=0\nfc1: fc inputs=more outputs=10 initW=0.1\n"
        "c: cost.sum2 inputs=fc1 gpu=0 neuron=relu children=d"
    )
    assert topics(done, "dropped")[2:] == [("option", "more"), ("option", "more"), ("cost", "c"), ("option", "c")]


@pytest.mark.parametrize("part", ["start=0", "end=192", "start=0 end=192"])
def test_all_rows_of_the_data(part: str) -> None:
    assert topics(imported(f"more: data dataIdx=0 {part}\n" + FC.replace("data", "more")), "dropped")[2:] == []


def test_before_2014_all_rows_of_the_data_are_read() -> None:
    done = imported("more: data dataIdx=0 start=3\nh: hs inputs=more keep=1\n" + FC.replace("data", "h"))
    assert topics(done, "dropped")[2:] == [("option", "more")]


def test_a_second_look_at_the_same_pictures_is_the_same_input() -> None:
    rows = "more: data dataIdx=0\na: fc inputs=data,more outputs=4 initW=0.1,0.1"
    layer = imported(rows).spec.layers["a"]
    assert layer.inputs == ("data", "data")


LOST = {
    "neuron": "a: fc inputs=data outputs=4 initW=0.1 neuron=nrelu",
    "pool": "a: pool inputs=data channels=3 pool=rand sizeX=3 stride=2",
    "sum": "b: fc inputs=data outputs=4 initW=0.1\na: sum inputs=b stride=2",
    "input": "more: data dataIdx=2\na: fc inputs=data,more outputs=4 initW=0.1,0.1",
    "rscale": "a: rscale inputs=data channels=3 maxScale=1.5 tgtSize=4",
    "input of some rows": "more: data dataIdx=0 end=191\na: fc inputs=more outputs=4 initW=0.1",
}


@pytest.mark.parametrize("topic", LOST)
def test_what_cannot_be_said_stops_the_import_unless_it_is_lenient(topic: str) -> None:
    with pytest.raises(SpecError) as raised:
        imported(LOST[topic])
    assert [d.code for d in raised.value.diagnostics] == ["NS804"]
    done = imported(LOST[topic], lenient=True)
    assert [found for found, _ in topics(done, "lost")] == [topic.partition(" ")[0]]
    assert len(done.spec.layers) == 1 + (topic == "rscale")


def test_windows_without_a_pixel_are_lost() -> None:
    with pytest.raises(SpecError, match="hold no pixel"):
        imported("a: pool inputs=data channels=3 pool=max sizeX=2 stride=2 outputsX=9")
    with pytest.raises(SpecError, match="hold no pixel"):
        imported("a: pool inputs=data channels=3 pool=max sizeX=2 stride=2 start=-2")
