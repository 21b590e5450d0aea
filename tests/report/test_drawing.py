"""The drawing: nothing lies on anything else, every line arrives, every copy is shown with its size."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from netspec.ir.placed import PlacedGraph
from netspec.pipeline import Compiled, compile_file
from netspec.report.dot import render_dot
from netspec.report.drawing.caption import caption
from netspec.report.drawing.heights import box_height, rows_of
from netspec.report.drawing.lines import line_marks
from netspec.report.drawing.marks import number
from netspec.report.drawing.net import Box, drawing_of
from netspec.report.drawing.places import Places, places_of
from netspec.report.drawing.routes import Bend, routes_of
from netspec.report.mermaid import render_mermaid
from netspec.report.svg import render_svg
from netspec.spec import load_text
from tests.report.nets import CONV, NAMED, compiled, random_net

SVG = "{http://www.w3.org/2000/svg}"
NETS = {
    **{name: compiled(layers).placed for name, layers in NAMED.items()},
    **{str(n): random_net(n).placed for n in range(60)},
}


@pytest.fixture(scope="module")
def alexnet(root: Path) -> Compiled:
    return compile_file(root / "specs" / "alexnet.yaml")


def test_the_committed_drawing_is_up_to_date(root: Path, alexnet: Compiled) -> None:
    drawn = (root / "docs" / "alexnet.svg").read_text(encoding="utf-8")
    assert drawn == render_svg(alexnet.placed, alexnet.spec.about), (
        "run: netspec graph specs/alexnet.yaml -o docs/alexnet.svg"
    )


def test_alexnet_shows_each_copy_once(alexnet: Compiled) -> None:
    tree = ET.fromstring(render_svg(alexnet.placed))  # noqa: S314 - our own text
    labels = [text.text or "" for text in tree.iter(f"{SVG}text") if text.get("class") == "label"]
    assert labels == [
        *(
            "← 21,632 floats · 84.5 KiB",
            "21,632 floats · 84.5 KiB →",
            "← 4,608 floats · 18.0 KiB",
            "4,608 floats · 18.0 KiB →",
        ),
        *("← 2,048 floats · 8.0 KiB", "2,048 floats · 8.0 KiB →", "← 2,048 floats · 8.0 KiB"),
    ]


@pytest.mark.parametrize("name", NETS)
def test_boxes_stand_apart_and_inside_their_lane(name: str) -> None:
    places = places_of(drawing_of(NETS[name]))
    seats = [(box.device, box.row, places.center(box)) for box in places.drawing.boxes if box.kind != "input"]
    assert len(set(seats)) == len(seats)
    for box in places.drawing.boxes:
        if box.kind == "layer":
            strip = places.strips[places.lane_of(box)]
            left = places.center(box) - places.box_width / 2
            assert strip.x < left
            assert left + places.box_width < strip.x + strip.width


@pytest.mark.parametrize("name", NETS)
def test_every_line_leaves_its_box_and_arrives(name: str) -> None:
    """Follows each wire from gap to gap: what goes on below one row comes down above the next, or ends in an arrow."""
    drawing = drawing_of(NETS[name])
    routes = routes_of(places_of(drawing))
    ends = {(arrival.wire.key, arrival.box.id) for arrival in routes.arrivals}
    assert ends == {((line.source, line.floats), line.target) for line in drawing.lines}
    assert len(routes.arrivals) == len(drawing.lines)
    for arrival in routes.arrivals:
        (bend,) = [b for b in routes.gaps[arrival.box.row - 1] if b.wire is arrival.wire and arrival.x in b.below]
        row = arrival.box.row - 1
        while row > arrival.wire.source.row:
            row -= 1
            above = [b for b in routes.gaps[row] if b.wire is arrival.wire and b.below & bend.above]
            assert len(above) == 1
            bend = above[0]


@pytest.mark.parametrize("name", NETS)
def test_no_line_runs_through_a_box(name: str) -> None:
    places = places_of(drawing_of(NETS[name]))
    routes = routes_of(places)
    for row, bends in enumerate(routes.gaps):
        for bend in bends:
            for x in bend.above if bend.wire.source.row < row else ():
                assert not any(_covers(places, box, x) for box in places.drawing.boxes if box.row == row), (row, x)


@pytest.mark.parametrize("name", NETS)
def test_lines_between_rows_do_not_lie_on_each_other(name: str) -> None:
    for bends in routes_of(places_of(drawing_of(NETS[name]))).gaps:
        crossing = [bend for bend in bends if bend.crosses]
        for one in crossing:
            for other in crossing:
                if one is not other and one.track == other.track:
                    assert one.span[1] < other.span[0] or other.span[1] < one.span[0]
                if one is not other and any(abs(a - b) < 2 for a in one.above for b in other.below):
                    assert one.track < other.track


@pytest.mark.parametrize("name", NETS)
def test_arrow_heads_touch_the_boxes(name: str) -> None:
    drawing = drawing_of(NETS[name])
    places = places_of(drawing)
    routes = routes_of(places)
    rows = rows_of(drawing, routes, 100)
    heads = [head for path in line_marks(routes, rows) for head in path.heads]
    assert len(heads) == len(routes.arrivals)
    tops = {number(rows[box.row].top) for box in drawing.boxes}
    assert {head.split(" ")[1].split("L")[0] for head in heads} <= tops
    for box in drawing.boxes:
        assert rows[box.row].top + box_height(box) <= rows[box.row].end


def _covers(places: Places, box: Box, x: float) -> bool:
    half = 40.0 if box.kind == "output" else places.box_width / 2
    return box.kind == "input" or abs(places.center(box) - x) <= half


def _bends(graph: PlacedGraph) -> list[Bend]:
    return [bend for gap in routes_of(places_of(drawing_of(graph))).gaps for bend in gap]


def test_a_chain_is_one_straight_column() -> None:
    layers = "".join(f"\n  l{n}: {{{CONV}, inputs: {'data' if n == 0 else f'l{n - 1}'}}}" for n in range(60))
    graph = compiled(layers).placed
    assert not any(bend.crosses for bend in _bends(graph))
    assert len({x for bend in _bends(graph) for x in bend.above}) == 1


def test_a_skip_runs_beside_the_trunk() -> None:
    graph = compiled(NAMED["skips"]).placed
    places = places_of(drawing_of(graph))
    centers = {places.center(box) for box in places.drawing.boxes if box.device == 0}
    assert len(centers) == 1
    assert places.lanes[0].track_count >= 1


def test_a_drawing_is_one_file_of_valid_xml_without_links(alexnet: Compiled) -> None:
    text = render_svg(alexnet.placed, "<script>alert('x')</script> & \"more\"")
    tree = ET.fromstring(text)  # noqa: S314 - our own text
    assert tree.find(f".//{SVG}script") is None
    assert "<script" not in text
    assert text.count("http") == 1
    assert not any(word in text for word in ("href", "@import", "url("))


def test_a_long_name_is_cut_and_kept_in_the_tooltip() -> None:
    name = "a" * 64
    text = render_svg(compiled(f"\n  {name}: {{{CONV}, inputs: data}}").placed)
    assert f"<title>{name}, conv 3x3, pad 1, 12x6x6, 444 params</title>" in text
    assert f">{name}<" not in text


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (
            "{type: conv, inputs: data, filters: 8, size: 11, stride: 4, round: ceil, neuron: relu}",
            "conv 11x11 /4, ceil, relu",
        ),
        ("{type: conv, inputs: data, filters: 8, size: [3, 5], pad: [0, 0, 1, 1]}", "conv 3x5, pad 0,0,1,1"),
        ("{type: pool, inputs: data, pool: max, size: 3, stride: 2}", "max pool 3x3 /2"),
        ("{type: pool, inputs: data, pool: avg, size: global}", "avg pool global"),
        ("{type: rnorm, inputs: data, size: 5, groups: 2}", "rnorm over 5, 2 groups"),
        ("{type: neuron, inputs: data, neuron: 'tanh[1.7, 0.6]'}", "tanh[1.7, 0.6]"),
        ("{type: dropout, inputs: data, rate: 0.25}", "dropout, rate 0.25"),
        ("{type: dropout, inputs: data}", "dropout"),
        ("{type: fc, inputs: data, outputs: 8, neuron: relu}", "fc, relu"),
        ("{type: fc, inputs: data, outputs: 8, groups: 4}", "fc, 4 groups"),
        ("{type: rnorm, inputs: data, size: 5, blocked: true}", "rnorm over 5, blocked"),
        ("{type: batchnorm, inputs: data, affine: false}", "batchnorm, no affine"),
        ("{type: affine, inputs: data, scale: false}", "affine, no scale"),
        ("{type: prelu, inputs: data, shared: true, init_a: 0}", "prelu, shared"),
        ("{type: deconv, inputs: data, filters: 4, size: 4, stride: 2, pad: 1}", "deconv 4x4 /2, pad 1"),
        (
            "{type: conv, inputs: data, filters: 4, size: 3, groups: 2, connections: [3, 1, 2, 0]}",
            "conv 3x3, 2 groups, connections",
        ),
    ],
)
def test_captions(layer: str, words: str) -> None:
    spec = load_text(f"netspec: 1\nname: net\ninput: {{size: 32, channels: 4}}\nlayers: {{a: {layer}}}")
    assert caption(spec.layers["a"]) == words


def test_mermaid_has_a_subgraph_a_device_and_sizes_on_dotted_arrows(alexnet: Compiled) -> None:
    text = render_mermaid(alexnet.placed)
    assert text.count("subgraph") == 2
    assert text.count(".->") == len(alexnet.placed.transfers)
    assert '-. "21,632 floats · 84.5 KiB" .->' in text
    assert '["conv1<br/>conv 11x11 /4, ceil, relu<br/>48x55x55 · 17,472 params"]' in text


def test_dot_has_a_cluster_a_device_and_sizes_on_dashed_arrows(alexnet: Compiled) -> None:
    text = render_dot(alexnet.placed)
    assert text.count("subgraph cluster_") == 2
    assert text.count("style=dashed") == len(alexnet.placed.transfers)
    assert '"pool2_1" -> "conv3_0" [label="21,632 floats · 84.5 KiB"' in text
    assert text.count("{") == text.count("}")
