"""The spec that a file of netspec carries in its metadata, with the weights of its graph. It reads no operator."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from netspec.importers.names import net_name
from netspec.importers.onnx_file.file import OnnxFile
from netspec.importers.remark import Imported, Origin, Remarks
from netspec.ir.graph import TypedGraph
from netspec.passes.build import build
from netspec.passes.infer import infer
from netspec.source import Source, whole
from netspec.spec.load import load_source
from netspec.spec.model import Spec
from netspec.spec.shipped import shipped_folder
from netspec_runtime.card import LABELS_KEY, PREPROCESSING_KEY, SPLIT_KEY, CardError, read_card
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.importers.remark import Tensors
    from netspec_runtime.card import ModelCard

SPEC_KEY = "netspec.spec"


def carries_spec(file: OnnxFile) -> bool:
    """Whether netspec wrote its spec into the file."""
    return SPEC_KEY in file.metadata


def read_carried(file: OnnxFile, name: str | None) -> Imported:
    """The spec and the weights. Raises DataError where they do not belong together, SpecError for a wrong spec."""
    if SPLIT_KEY in file.metadata:
        fix = "import the file of the whole net, which `netspec build` writes too"
        raise DataError(file.name, "it is the part of one device of several", fix)
    if file.sealed is False:
        fix = "build it again, or read its graph alone"
        raise DataError(file.name, "its graph does not match its seal: damaged, or changed by another program", fix)
    source = Source(file.name, file.metadata[SPEC_KEY])
    remarks, spec = Remarks(), load_source(source)
    place = whole(source)
    remarks.meaning("spec", "the spec is the one that netspec wrote into the file; its graph was not read", place)
    spec = _own(spec, file, remarks)
    if name is not None:
        spec = replace(spec, name=net_name(name))
    typed = infer(build(spec), spec)
    places = {layer: spec.spans.key("layers", layer) for layer in spec.layers}
    origins = tuple(Origin(layer, spec.layers[layer].type, places[layer], layer) for layer in spec.layers)
    return Imported(spec, tuple(remarks.items), origins, _tensors(file, typed))


def _own(spec: Spec, file: OnnxFile, remarks: Remarks) -> Spec:
    """The spec without what lay beside its layer file: labels, a ledger, what training saw of the data."""
    place = whole(spec.spans.source)
    if isinstance(spec.labels, str) and spec.labels:
        labels = _labels(file)
        remarks.meaning("labels", f"the {len(labels):,} labels of `{spec.labels}` are written out", place)
        spec = replace(spec, labels=labels)
    if spec.ledger and not (shipped_folder() / "ledgers" / f"{spec.ledger}.yaml").is_file():
        remarks.dropped("ledger", f"the ledger `{spec.ledger}` is no part of the file", place)
        spec = replace(spec, ledger="")
    card = _card(file)
    mean = card.preprocessing.mean if card is not None and spec.data.mean in ("image", "color") else ()
    if any(mean) and mean != spec.data.mean_color:
        text = "the mean colour that the file subtracts is written as `mean_color`"
        remarks.meaning("mean", text, place)
        spec = replace(spec, data=replace(spec.data, mean_color=mean))
    return spec


def _labels(file: OnnxFile) -> tuple[str, ...]:
    """Raises DataError for metadata that holds none."""
    try:
        labels = json.loads(file.metadata.get(LABELS_KEY, "[]"))
    except (ValueError, RecursionError):
        labels = None
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise DataError(file.name, f"{LABELS_KEY} is no list of names", "write it again with `netspec build`")
    return tuple(labels)


def _card(file: OnnxFile) -> ModelCard | None:
    if PREPROCESSING_KEY not in file.metadata:
        return None
    try:
        return read_card(file.metadata)
    except CardError as error:
        raise DataError(file.name, str(error), "write it again with `netspec build`") from None


def _tensors(file: OnnxFile, typed: TypedGraph) -> Tensors:
    """The net's parameters. Raises DataError for one that the file lacks, or has in another shape."""
    found: dict[str, NDArray[np.float32]] = {}
    for owned in typed.parameters:
        array = file.constants.get(owned.name)
        if array is None or array.shape != owned.parameter.dims or array.dtype != "float32":
            reason = f"it has no weights {owned.name!r} of the shape that its spec asks for"
            raise DataError(file.name, reason, "write it again with `netspec build`, or read its graph alone")
        found[owned.name] = cast("NDArray[np.float32]", array)
    return found
