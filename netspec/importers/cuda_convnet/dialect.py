"""Which source a pair of files was written for, by what only one of them reads. It reads no values.

Source: reference/cuda-convnet.md 1.2, 2, 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from netspec.importers.cuda_convnet.sections import Section

Dialect = Literal["2012", "2014", ""]  # the first also stands for 2011's; the last for files that both read

_TYPES_2014 = frozenset({"dropout", "dropout2", "pass", "sfc", "cmpool", "crop", "sum", "cost.bce", "cost.dce"})
_OPTIONS_2014 = frozenset({"sumwidth", "modulesx", "updateperiod"})
_TYPES_2012 = frozenset({"hs", "treefc", "cost.crossent2", "cost.rflickr", "cost.tica", "cost.msm"})
_OPTIONS_2012 = frozenset({"partialsum", "filterchannels", "initcfunc", "domax", "schedw", "schedb", "sched", "wcnorm"})


def dialect_of(definition: Mapping[str, Section], params: Mapping[str, Section]) -> Dialect:
    """By types, which the other source refuses; then 2014 where an option is of 2014 alone.

    Files of 2014 still carry options of 2012, which that source skips.
    """
    sections = (*definition.values(), *params.values())
    types = {type_of(section) for section in sections}
    if types & _TYPES_2014:
        return "2014"
    if types & _TYPES_2012:
        return "2012"
    if any(_is_2014(section) for section in sections):
        return "2014"
    is_2012 = any(_OPTIONS_2012 & section.options.keys() or _defines_norm(section) for section in sections)
    return "2012" if is_2012 else ""


def type_of(section: Section) -> str:
    """The layer type that a section names, as it stands there; empty where it names none."""
    option = section.options.get("type")
    return option.text if option else ""


def _is_2014(section: Section) -> bool:
    gpu, rate = section.options.get("gpu"), section.options.get("epsw")
    replicas = gpu is not None and "," in gpu.text
    scheduled = rate is not None and "[" in rate.text
    return replicas or scheduled or bool(_OPTIONS_2014 & section.options.keys())


def _defines_norm(section: Section) -> bool:
    return type_of(section) in ("rnorm", "cmrnorm", "cnorm") and "scale" in section.options
