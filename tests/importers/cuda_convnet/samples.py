"""The sample files of cuda-convnet, and which belong together. It tests nothing.

Source of the pairs: reference/cuda-convnet.md 7.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from netspec.importers.cuda_convnet.net import CudaConvnetOptions, read_cuda_convnet
from netspec.importers.remark import Imported
from netspec.syntax.reader import read_source

FOLDERS = {"2012": "alexnet-2012", "cc2": "cuda-convnet2"}
_OTHERS = {"153": ("154", "165", "169", "170"), "153-4gpu": ("170-4gpu",), "145": ("145", "145-2010")}
ALONE = ("107", "178")  # their definitions are not in the folder


@dataclass(frozen=True)
class Pair:
    """A definition with a parameter file; both as paths below the folder of samples."""

    definition: str
    params: str

    def read(self, samples: Path, size: int | None = None) -> Imported:
        definition, params = samples / self.definition, samples / self.params
        options = CudaConvnetOptions(size=size)
        return read_cuda_convnet(read_source(definition), read_source(params), options)


def pairs(samples: Path) -> list[Pair]:
    """Every pair."""
    found = []
    for file in sorted(samples.rglob("layers-*.cfg")):
        name = file.stem.removeprefix("layers-")
        for other in _OTHERS.get(name, (name,)):
            params = file.with_name(f"layer-params-{other}.cfg")
            found.append(Pair(str(file.relative_to(samples)), str(params.relative_to(samples))))
    return found


def golden(samples: Path) -> dict[tuple[str, int], list[dict[str, str]]]:
    """The rows of golden.csv by definition and size of the input."""
    rows: dict[tuple[str, int], list[dict[str, str]]] = {}
    with (samples / "golden.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            definition = f"{FOLDERS[row['repo']]}/{row['def']}"
            rows.setdefault((definition, int(row["img"])), []).append(row)
    return rows
