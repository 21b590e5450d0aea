"""Small definitions, imported. It tests nothing."""

from __future__ import annotations

from netspec.importers.cuda_convnet.net import CudaConvnetOptions, read_cuda_convnet
from netspec.importers.remark import Imported, Kind
from netspec.pipeline import compile_spec
from netspec.source import Source
from tests.importers.cuda_convnet.nets import sections

DATA = "data: data dataIdx=0\nlabels: data dataIdx=1\n"
FC = "fc1: fc inputs=data outputs=10 initW=0.1\n"
END = FC + "probs: softmax inputs=fc1\nlogprob: cost.logreg inputs=labels,probs\n"


def imported(rows: str, params: str | None = None, size: int | None = 8, lenient: bool = False) -> Imported:
    source = None if params is None else Source("params.cfg", params)
    options = CudaConvnetOptions(size=size, lenient=lenient)
    done = read_cuda_convnet(Source("nets/my net.cfg", sections(DATA + rows)), source, options)
    compile_spec(done.spec)
    return done


def topics(done: Imported, kind: Kind) -> list[tuple[str, str]]:
    return [(remark.topic, remark.layer) for remark in done.remarks if remark.kind == kind]


def texts(done: Imported, topic: str) -> list[str]:
    """The remarks of a topic."""
    return [remark.text for remark in done.remarks if remark.topic == topic]
