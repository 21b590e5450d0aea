"""A net of blue, green, red as one of red, green, blue: the first weights turned around. Exact, and no other layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.rewrite import inputs_of
from netspec.importers.draft import At, Draft
from netspec.importers.remark import Remarks

if TYPE_CHECKING:
    from netspec.importers.caffe.reading import Array


def turn_colours(draft: Draft, read: str, tensors: dict[str, Array] | None, remarks: Remarks) -> None:
    """`--rgb`: flip the input channels of all convolutions that read the input, and the order of `data.mean`.

    Raises SpecError NS804 where another layer reads the input, or a convolution reads its channels in groups.
    """
    import numpy as np

    data = draft.keys.get("data")
    if not isinstance(data, dict) or data.get("channels") != "bgr":
        place = next(iter(draft.layers.values())).place
        remarks.dropped("channel order", "the net reads no blue, green, red: `--rgb` does nothing", place)
        return
    for name, layer in draft.layers.items():
        if read not in inputs_of(layer):
            continue
        if layer.type != "conv" or "groups" in layer.keys:
            message = f"`{name}` reads the input, and only the weights of a convolution without groups turn around"
            raise SpecError([Diagnostic("NS804", message, layer.place, help="import it without `--rgb`")])
        weight = tensors.get(f"{name}.weight") if tensors is not None else None
        if tensors is not None and weight is not None:
            tensors[f"{name}.weight"] = np.ascontiguousarray(weight[:, ::-1])
        remarks.meaning("channel order", "its weights are turned around to red, green, blue", layer.place, name)
    del data["channels"]
    for key in ("mean", "mean_color", "std"):
        value = data.get(key)
        values = value.value if isinstance(value, At) else value
        if isinstance(values, tuple):
            data[key] = At(values[::-1], value.place) if isinstance(value, At) else values[::-1]
