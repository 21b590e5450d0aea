"""What is wrong with a pair of files: every finding of a run, with code and line. Not what a right one becomes."""

from __future__ import annotations

import pytest

from netspec.diagnostics import SpecError
from netspec.importers.cuda_convnet.net import CudaConvnetOptions, read_cuda_convnet
from netspec.importers.remark import Imported
from netspec.source import Source
from tests.importers.cuda_convnet.nets import rates, sections

BEFORE = "[data]\ntype=data\ndataIdx=0\n[labels]\ntype=data\ndataIdx=1\n"  # 6 lines
FC = "fc1: fc inputs=data outputs=10 initW=0.1\n"
CONV = "conv1: conv inputs=data channels=3 filters=8 filterSize=3 initW=0.1\n"


def refused(rows: str, params: str | None = None, size: int = 8) -> list[tuple[str, str]]:
    """Each finding's code, and the line that it is in."""
    source = None if params is None else Source("params.cfg", params)
    with pytest.raises(SpecError) as raised:
        read_cuda_convnet(Source("net.cfg", BEFORE + sections(rows)), source, CudaConvnetOptions(size))
    assert all(d.help for d in raised.value.diagnostics if d.code.startswith("NS80") and d.code != "NS802")
    return [(d.code, d.span.source.line(d.span.line)) for d in raised.value.diagnostics]


CONTRADICTIONS = {
    "channels=4": CONV + "conv2: conv inputs=conv1 channels=4 filters=8 filterSize=3 initW=0.1",
    "channels=3,3": "a: conv inputs=data channels=3,3 filters=8 filterSize=3 initW=0.1 partialSum=1",
    "channels=7": FC + "a: pool inputs=fc1 channels=7 pool=max sizeX=1 stride=1",
    "filterSize=9": "a: conv inputs=data channels=3 filters=8 filterSize=9 initW=0.1",
    "filters=4,8": CONV + "a: conv inputs=data,conv1 channels=3,8 filters=4,8 filterSize=3,1 initW=0.1",
    "stride=2,1": CONV + "a: conv inputs=data,conv1 channels=3,8 filters=8 filterSize=3,2 stride=2,1 initW=0.1",
    "groups=2": "a: conv inputs=data channels=3 filters=8 filterSize=3 groups=2 initW=0.1",
    "modulesX=2": "a: conv inputs=data channels=3 filters=8 filterSize=3 modulesX=2 initW=0.1",
    "filterChannels=3": (
        CONV + "a: conv inputs=conv1 channels=8 filters=4 filterSize=3 groups=2 randSparse=1 filterChannels=3 initW=0.1"
    ),
    "weightSource=fc1,fc1": FC + "a: fc inputs=fc1 outputs=10 initW=0.1 weightSource=fc1,fc1",
    "parts=5": "a: sfc inputs=data outputs=2 parts=5 initW=0.1",
    "sizeX=9": "a: pool inputs=data channels=3 pool=max sizeX=9 stride=1",
    "start=7": "a: pool inputs=data channels=3 pool=max sizeX=3 stride=1 start=7",
    "sizeX=7": "a: crop inputs=data channels=3 startX=2 sizeX=7",
    "tgtSize=6": "a: rscale inputs=data channels=3 maxScale=1.5 tgtSize=6",
    "tgtSize=9": "a: rscale inputs=data channels=3 maxScale=1.5 tgtSize=9",
    "coeffs=1,2,3": FC + "a: eltsum inputs=fc1,fc1 coeffs=1,2,3",
    "weightSource=fc1": FC + "a: treefc inputs=data initW=0.1 weightSource=fc1",
    "randSparse=1": CONV + "a: conv inputs=conv1 channels=8 filters=8 filterSize=3 initW=0.1 randSparse=1",
    "filterChannels=16384": (
        CONV + "a: conv inputs=conv1 channels=8 filters=1 filterSize=1 initW=0.1 randSparse=1 groups=2"
        " filterChannels=16384"
    ),
    "inputs=fc1,labels": FC + "a: cost.logreg inputs=fc1,labels",
    "inputs=labels": FC + "a: cost.sum2 inputs=labels",
    "inputs=fc1,b": FC + "b: fc inputs=data outputs=9 initW=0.1\na: eltsum inputs=fc1,b",
}


@pytest.mark.parametrize("line", CONTRADICTIONS)
def test_contradictions(line: str) -> None:
    assert refused(CONTRADICTIONS[line]) == [("NS808", line)]


_CONV, _FC, _POOL = "conv inputs=data channels=3", "fc inputs=data outputs=4 initW=0.1", "pool inputs=data channels=3"
WRONG_VALUES = {
    "filters=x": f"{_CONV} filters=x filterSize=3 initW=0.1",
    "filters=0": f"{_CONV} filters=0 filterSize=3 initW=0.1",
    "filters=8,": f"{_CONV} filters=8, filterSize=3 initW=0.1",
    "padding=-1": f"{_CONV} filters=8 filterSize=3 padding=-1 initW=0.1",
    "initW=inf": f"{_CONV} filters=8 filterSize=3 initW=inf",
    "sharedBiases=maybe": f"{_CONV} filters=8 filterSize=3 initW=0.1 sharedBiases=maybe",
    "pool=median": f"{_POOL} pool=median sizeX=3 stride=2",
    "stride=3": f"{_POOL} pool=max sizeX=2 stride=3",
    "stride=1": "nailbed inputs=data channels=3 stride=1",
    "filterSize=4": "blur inputs=data channels=3 filterSize=4 stdev=1",
    "scale=3": "resize inputs=data channels=3 scale=3",
    **{f"neuron={neuron}": f"{_FC} neuron={neuron}" for neuron in ("step", "tanh", "tanh[1]", "tanh[1e-3,1]")},
    **{
        f"neuron={neuron}": f"{_FC} neuron={neuron}"
        for neuron in ("relu[1]", "abstanh[1,2]", "log[1,]", "linear[1-,2]")
    },
    "gpu=-1": f"{_FC} gpu=-1",
    "weightSource=[0]": f"{_FC} weightSource=[0]",
    "keep=1.5": "hs inputs=data keep=1.5",
    "inputs=data": "eltmax inputs=data",
    "inputs=data,": f"{_FC.replace('=data', '=data,')}",
    "inputs=data,data": "softmax inputs=data,data",
    "inputs=data,labels,data": f"{_FC}\nb: cost.logreg inputs=data,labels,data",
}


@pytest.mark.parametrize("line", WRONG_VALUES)
def test_values_that_the_original_would_not_take(line: str) -> None:
    assert refused(f"a: {WRONG_VALUES[line]}") == [("NS802", line)]


SLIPS = {
    "filters=8 # as before": "`#` begins a comment at the start of a line only",
    "filters=8;": "`;` begins a comment at the start of a line, or behind a blank",
    "filters=8\n  padding=1": "begin it at the left",
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slips_that_make_a_value_longer_are_named(slip: str) -> None:
    text = BEFORE + sections(CONV).replace("filters=8", slip)
    with pytest.raises(SpecError) as raised:
        read_cuda_convnet(Source("net.cfg", text), None, CudaConvnetOptions(8))
    (found,) = raised.value.diagnostics
    assert SLIPS[slip] in found.help


def test_values_that_are_not_there() -> None:
    with pytest.raises(SpecError, match="`filters` must be a whole number from 1 on, and nothing is written"):
        imported_text(CONV.replace("filters=8", "filters="))
    with pytest.raises(SpecError, match="nothing is written behind `momB=`"):
        imported_text(FC, rates("fc1").replace("momB=0.9", "momB="))


def imported_text(rows: str, params: str | None = None) -> Imported:
    source = None if params is None else Source("params.cfg", params)
    return read_cuda_convnet(Source("net.cfg", BEFORE + sections(rows)), source, CudaConvnetOptions(8))


def test_a_comma_too_many_is_found_once() -> None:
    row = "a: conv inputs=data, channels=3 filters=8 filterSize=3 padding=1 initW=0.1 partialSum=1"
    assert refused(row) == [("NS802", "inputs=data,")]


def test_a_layer_that_reads_itself() -> None:
    with pytest.raises(SpecError, match="`fc1` reads itself"):
        imported_text(FC.replace("=data", "=fc1"))


REQUIRED = {
    "conv": "channels=3 filters=8 filterSize=3 initW=0.1",
    "local": "channels=3 filters=8 filterSize=3 initW=0.1",
    "fc": "outputs=4 initW=0.1",
    "sfc": "outputs=4 parts=1 initW=0.1",
    "treefc": "initW=0.1",
    "pool": "channels=3 pool=max sizeX=3 stride=2",
    "cmpool": "channels=3 size=3 stride=1 outputs=1",
    "nailbed": "channels=3 stride=2",
    "blur": "channels=3 filterSize=3 stdev=1",
    "resize": "channels=3 scale=1.5",
    "rscale": "channels=3 maxScale=1 tgtSize=8",
    "crop": "channels=3 startX=0 sizeX=4",
    "hs": "keep=0.5",
    "neuron": "neuron=relu",
    "cmrnorm": "channels=3 size=5 scale=1 pow=1",
    "rnorm": "channels=3 size=5 scale=1 pow=1",
    "cnorm": "channels=3 size=5 scale=1 pow=1",
}


@pytest.mark.parametrize("kind", REQUIRED)
def test_every_option_without_a_default_is_missed(kind: str) -> None:
    options = REQUIRED[kind].split()
    read_cuda_convnet(Source("n", BEFORE + sections(f"a: {kind} inputs=data {' '.join(options)}")), None, SIZE)
    for left_out in options:
        rest = " ".join(option for option in options if option != left_out)
        assert refused(f"a: {kind} inputs=data {rest}") == [("NS803", "[a]")], left_out
    assert refused(f"a: {kind} {' '.join(options)}") == [("NS803", "[a]")]


SIZE = CudaConvnetOptions(size=8)


def test_all_that_is_wrong_is_found_in_one_run() -> None:
    rows = (
        "a: conv inputs=data channels=x filters=y filterSize=3\nb: fc inputs=a,c outputs=z initW=0.1\nc: pools inputs=b"
    )
    wrong = ["channels=x", "filters=y", "outputs=z", "inputs=a,c", "type=pools", "[a]"]
    codes = {"inputs=a,c": "NS805", "type=pools": "NS806", "[a]": "NS803"}
    assert sorted(refused(rows)) == sorted((codes.get(line, "NS802"), line) for line in wrong)


def test_findings_of_both_files_come_together() -> None:
    params = Source("params.cfg", "[fc1]\nepsW=x\nepsB=1\nmomW=0\nmomB=0\nwc=0\n")
    definition = Source("net.cfg", BEFORE + sections(FC.replace("10", "ten")))
    with pytest.raises(SpecError) as raised:
        read_cuda_convnet(definition, params, SIZE)
    assert [(d.code, d.span.where) for d in raised.value.diagnostics] == [
        ("NS802", "net.cfg:10:9"),
        ("NS802", "params.cfg:2:6"),
    ]


@pytest.mark.parametrize(
    ("rows", "line", "help"),
    [
        ("a: softmax inputs=dat", "inputs=dat", "did you mean `data`?"),
        ("a: softmax inputs=b\nb: softmax inputs=data", "inputs=b", "move `[b]` up"),
        (FC + "c: cost.sum2 inputs=fc1\na: softmax inputs=c", "inputs=c", "a cost has no output"),
        (f"a: {_FC} weightSource=fc2", "weightSource=fc2", "no layer above has weights"),
        (FC + f"a: {_FC} weightSource=fc2", "weightSource=fc2", "did you mean `fc1`?"),
        (FC + f"a: {_FC} weightSource=fc1[1]", "weightSource=fc1[1]", "fc1"),
    ],
)
def test_layers_that_are_not_above(rows: str, line: str, help: str) -> None:
    with pytest.raises(SpecError) as raised:
        read_cuda_convnet(Source("net.cfg", BEFORE + sections(rows)), None, SIZE)
    (found,) = raised.value.diagnostics
    assert (found.code, found.span.source.line(found.span.line)) == ("NS805", line)
    assert help in found.help


def test_a_type_that_there_is_not() -> None:
    with pytest.raises(SpecError, match="NS806") as raised:
        read_cuda_convnet(Source("net.cfg", BEFORE + "[a]\ntype=convv\ninputs=data\n[b]\ninputs=data"), None, SIZE)
    first, second = raised.value.diagnostics
    assert first.help == "did you mean `conv`?"
    assert (second.code, second.span.where) == ("NS803", "net.cfg:10:1")


@pytest.mark.parametrize(
    ("definition", "params", "code"),
    [
        ("", None, "NS801"),
        ("# nothing", None, "NS801"),
        (BEFORE + "[c]\ntype=cost.logreg\ninputs=labels,data", None, "NS801"),
        ("[a]\nepsW=1", None, "NS807"),
        (BEFORE + sections(FC), BEFORE + sections(FC), "NS807"),
        ("[a]\n" + "".join(f"[a{n}]\ntype=data\n" for n in range(2001)), None, "NS111"),
    ],
)
def test_files_that_are_no_pair(definition: str, params: str | None, code: str) -> None:
    source = None if params is None else Source("params.cfg", params)
    with pytest.raises(SpecError) as raised:
        read_cuda_convnet(Source("net.cfg", definition), source, CudaConvnetOptions())
    assert [(d.code, bool(d.help)) for d in raised.value.diagnostics] == [(code, True)]


def test_unreadable_lines_of_both_files_come_together() -> None:
    with pytest.raises(SpecError) as raised:
        read_cuda_convnet(Source("a.cfg", "x"), Source("b.cfg", "y"), CudaConvnetOptions())
    assert [(d.code, d.span.where) for d in raised.value.diagnostics] == [
        ("NS801", "a.cfg:1:1"),
        ("NS801", "b.cfg:1:1"),
    ]


@pytest.mark.parametrize(
    ("row", "params", "line"),
    [
        ("norm1: cmrnorm inputs=data channels=3 size=5", rates(), "[norm1]"),
        ("drop1: dropout inputs=data", rates(), "[drop1]"),
        ("drop1: hs inputs=data keep=0.5", rates(more="drop1: - keep=1"), "[drop1]"),
    ],
)
def test_what_a_parameter_file_must_say(row: str, params: str, line: str) -> None:
    rows = f"{row}\nlogprob: cost.sum2 inputs={row.partition(':')[0]}"
    assert refused(rows, params)[0] == ("NS803", line)
