"""The account of a comparison: its table, and its JSON."""

from __future__ import annotations

import json

from netspec.difference.document import difference_as_json
from netspec.difference.text import render
from tests.difference.nets import difference, spec

NET = """
one: {type: conv, inputs: data, filters: 4, size: 3, init_w: 1}
two: {type: conv, inputs: one, filters: 4, size: 3, init_w: 1}
f: {type: fc, inputs: two, outputs: 3, neuron: relu}
"""
OTHER = """
one: {type: conv, inputs: data, filters: 4, size: 3, init_w: 2}
zwei: {type: conv, inputs: one, filters: 4, size: 3, init_w: 2, pad: 1}
n: {type: dropout, inputs: zwei}
f: {type: fc, inputs: n, outputs: 3}
"""
TABLE = """\
a.yaml and b.yaml differ: 4 differences

layer            what     a.yaml               b.yaml
one, two / zwei  init_w   1       a.yaml:5, 6  2                     b.yaml:5, 6
two / zwei       pad      0       a.yaml:6     1                     b.yaml:6
n                dropout  none                 rate 0.5, scale test  b.yaml:7
f                neuron   relu    a.yaml:7     none

sizes       output of A  output of B  parameters of A  parameters of B  MACs of A  MACs of B
two / zwei        4x4x4        4x6x6                                        2,304      5,184
f                                                 195              435        192        432
total                                             455              695      6,384      9,504
"""


def test_what_differs_is_a_table() -> None:
    assert render(difference(spec(NET), spec(OTHER))) == TABLE


def test_equal_nets_are_one_line() -> None:
    text = render(difference(spec(NET), spec(NET)))
    assert text == "a.yaml and b.yaml are equal in meaning: 3 layers, 455 parameters\n"


def test_many_layers_are_counted() -> None:
    lines = [f"c{n}: {{type: conv, inputs: {f'c{n - 1}' if n else 'data'}, filters: 2, size: 1}}" for n in range(9)]
    net = "\n".join(lines)
    text = render(difference(spec(net), spec(net.replace("size: 1", "size: 1, init_b: 1"))))
    assert "c0, c1, c2, c3, +5  init_b  0       a.yaml:5, 6, 7, ...  1       b.yaml:5, 6, 7, ..." in text


def test_the_document_has_every_difference() -> None:
    found = json.loads(json.dumps(difference_as_json(difference(spec(NET), spec(OTHER)))))
    assert (found["a"], found["b"], found["equal"]) == ("a.yaml", "b.yaml", False)
    assert [(row["kind"], row["what"]) for row in found["differences"]] == [
        ("value", "init_w"),
        ("value", "pad"),
        ("value", "init_w"),
        ("only", "dropout"),
        ("only", "neuron"),
    ]
    assert found["differences"][1] == {
        "kind": "value",
        "what": "pad",
        "a": {"layer": "two", "text": "0", "source": "a.yaml", "line": 6},
        "b": {"layer": "zwei", "text": "1", "source": "b.yaml", "line": 6},
    }
    assert found["differences"][3]["a"] is None
    assert {(row["a"]["layer"], row["what"]) for row in found["sizes"]} == {
        ("two", "output"),
        ("two", "MACs"),
        ("f", "parameters"),
        ("f", "MACs"),
    }
    assert found["totals"] == {"parameters": [455, 695], "MACs": [6384, 9504]}
    assert found["pairs"] == [["one", "one"], ["two", "zwei"], ["f", "f"]]
