"""The reader of sections: Python 2's SafeConfigParser rules, places, and what is refused. Not what options mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.diagnostics import SpecError
from netspec.importers.cuda_convnet.sections import read_sections
from netspec.importers.remark import Remarks
from netspec.source import Source
from netspec.syntax.reader import read_source


def values(text: str) -> dict[str, dict[str, str]]:
    sections = read_sections(Source("net.cfg", text))
    return {name: {o.name: o.text for o in section.options.values()} for name, section in sections.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a]\nx=1", {"a": {"x": "1"}}),
        ("[a]\nX : 1\n[A]\nx=2", {"a": {"x": "1"}, "A": {"x": "2"}}),
        ("[a]\nx=1 ; note\ny=1;2\nz=a=b", {"a": {"x": "1", "y": "1;2", "z": "a=b"}}),
        ("[a]\n# c\n; c\nrem c\nREM\nx=1 # 2", {"a": {"x": "1 # 2"}}),
        ("[a]\nremark=1", {"a": {"remark": "1"}}),
        ("[a]\nx=1,\n  2\n\n# c\n\t,3\ny=4", {"a": {"x": "1,\n2\n,3", "y": "4"}}),
        ("[a] tail\nx=1", {"a": {"x": "1"}}),
        ('[a]\nx=""\ny=', {"a": {"x": "", "y": ""}}),
        ("[a]\nx=1\n[b]\ny=2\n[a]\nx=3\nz=4", {"a": {"x": "3", "z": "4"}, "b": {"y": "2"}}),
        ("[a]\nx=50%%\ny=%(X)s,%(n)s\nn=7", {"a": {"x": "50%", "y": "50%,7", "n": "7"}}),
        ("[DEFAULT]\nx=1\n[a]\n[b]\nx=2", {"a": {"x": "1"}, "b": {"x": "2"}}),
        ("[a]\nepsW=dexp[base=0.04;tgtFactor=250]", {"a": {"epsw": "dexp[base=0.04;tgtFactor=250]"}}),
        ("# only a comment\n", {}),
    ],
)
def test_the_rules_of_the_format(text: str, expected: dict[str, dict[str, str]]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x=1\n[a]", [1]),
        ("[a]\nfilters 3\n\n[b]\ny\nz=1", [2, 5]),
        ("[a]\nfilters [3]", [2]),
        ("[a\nx=1", [1, 2]),
        ("[]\nx=1", [1, 2]),
        ("  x=1", [1]),
        ("[a]\n  x=1", [2]),
        ("[a]\n=1", [2]),
        ("[a]\nx=%(y)s\nz=%d\nw=%", [2, 3, 4]),
        ("[a]\nx=%(x)s", [2]),
    ],
)
def test_every_line_that_is_neither_header_nor_option_is_refused(text: str, lines: list[int]) -> None:
    with pytest.raises(SpecError) as raised:
        values(text)
    found = [(d.code, d.span.line + 1) for d in raised.value.diagnostics]
    assert found == [("NS801", line) for line in lines]
    assert all(d.help for d in raised.value.diagnostics)


def test_references_that_multiply_are_refused_soon() -> None:
    rows = [f"x{n}={f'%(x{n + 1})s' * 50}" for n in range(9)]
    with pytest.raises(SpecError, match="never ends"):
        values("[a]\n" + "\n".join(rows) + "\nx9=1")


def test_places() -> None:
    section = read_sections(Source("net.cfg", "[conv1]\nfilterSize = 5 ; pixels\nx=1,\n  22"))["conv1"]
    assert section.place.where == "net.cfg:1:1"
    option = section.options["filtersize"]
    assert (option.key.text, option.value.text) == ("filterSize", "5")
    long = section.options["x"].value
    assert (long.line, long.column, long.end_line, long.end_column) == (2, 2, 3, 4)


def test_a_damaged_header_is_recovered_with_a_remark() -> None:
    remarks = Remarks()
    sections = read_sections(Source("net.cfg", "ano[conv1a]\nepsW=1\n[b]\nx=1"), remarks)
    assert list(sections) == ["conv1a", "b"]
    assert [(r.kind, r.topic, r.layer, r.place.line) for r in remarks.items] == [("meaning", "damage", "conv1a", 0)]


def test_a_section_and_an_option_that_stand_twice_are_told() -> None:
    remarks = Remarks()
    read_sections(Source("net.cfg", "[a]\nx=1\nx=1\nx=2\n[b]\n[a]\nx=3"), remarks)
    assert [(r.topic, r.place.line + 1) for r in remarks.items] == [
        ("duplicate", 4),
        ("duplicate", 6),
        ("duplicate", 7),
    ]


@pytest.mark.parametrize("kind", ["layers", "layer-params"])
def test_every_sample_file_is_read(shared: Path, kind: str) -> None:
    files = sorted((shared / "data" / "cuda-convnet").rglob(f"{kind}-*.cfg"))
    assert len(files) >= 18
    for file in files:
        sections = read_sections(read_source(file))
        assert len(sections) >= 5, file
        assert all(option.text for section in sections.values() for option in section.options.values()), file
