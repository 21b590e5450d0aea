"""Which source a pair was written for. The sample files say it by their folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.importers.cuda_convnet.dialect import dialect_of
from netspec.importers.cuda_convnet.sections import read_sections
from netspec.source import Source
from netspec.syntax.reader import read_source
from tests.importers.cuda_convnet.samples import pairs


@pytest.mark.parametrize(
    ("definition", "params", "year"),
    [
        ("type=conv\ninputs=data", "epsW=0.1", ""),
        ("type=hs", "", "2012"),
        ("type=conv\npartialSum=4", "", "2012"),
        ("type=cmrnorm\nsizeX=3\nscale=1", "", "2012"),
        ("type=conv", "schedW=exp[tgtFactor=10]", "2012"),
        ("type=dropout", "", "2014"),
        ("type=conv\nsumWidth=4\nrandSparse=1\npartialSum=0", "", "2014"),
        ("type=conv\ngpu=0,1", "", "2014"),
        ("type=conv\npartialSum=1", "epsW=exp[base=.1;tgtFactor=10]", "2014"),
        ("type=conv", "updatePeriod=1", "2014"),
        ("type=hs\nsumWidth=4", "updatePeriod=1", "2012"),
        ("type=pass\n[b]\ntype=treefc", "", "2014"),
    ],
)
def test_by_what_only_one_source_reads(definition: str, params: str, year: str) -> None:
    files = [read_sections(Source("net.cfg", f"[a]\n{text}")) for text in (definition, params)]
    assert dialect_of(files[0], files[1]) == year


def test_the_sample_files(shared: Path) -> None:
    samples = shared / "data" / "cuda-convnet"
    for pair in pairs(samples):
        files = [read_sections(read_source(samples / name)) for name in (pair.definition, pair.params)]
        assert dialect_of(files[0], files[1]) == ("2014" if "convnet2" in pair.definition else "2012"), pair
