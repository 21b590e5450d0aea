"""Weights of towers written as separate layers, in the layout of the merged net: moved, never calculated with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.importers.towers.members import Merged
from netspec.importers.towers.naming import names_of
from netspec.importers.towers.net import Written
from netspec.importers.towers.plan import Plan, plan_towers
from netspec.importers.towers.reads import Read
from netspec.layers.fc import Fc
from netspec.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from numpy.typing import NDArray

    Array = NDArray[Any]


def merged_tensors(before: Spec, tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Weights, or gradients, of a net by canonical name, as the net that `merge_towers` makes of it has them.

    Both compute the same with them. Where a part is missing, the whole is. Raises SpecError for a spec that does not
    compile.
    """
    return convert(plan_towers(Written.of(before)), tensors)


def convert(plan: Plan, tensors: Mapping[str, Array]) -> dict[str, Array]:
    """The tensors as a plan arranges them."""
    names, _ = names_of(plan)
    gone = {name for merged in plan.merged.values() for name in merged.members}
    result = {name: tensor for name, tensor in tensors.items() if name.partition(".")[0] not in gone}
    for source, merged in plan.merged.items():
        for path, tensor in _tensors(plan.net, merged, tensors):
            result[f"{names[source]}.{path}"] = tensor
    return result


def _tensors(net: Written, merged: Merged, tensors: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """What a merged layer has, by its path in the layer."""
    import numpy as np

    one = len(merged.reads) == 1
    for number, read in enumerate(merged.reads):
        if (weight := _weight(net, merged, read, tensors)) is not None:
            yield "weight" if one else f"{number}.weight", weight
    for owned in net.nodes[merged.members[0]].parameters:
        names = [f"{name}.{owned.path}" for name in merged.members]
        if (not merged.reads or owned.parameter.role == "bias") and all(name in tensors for name in names):
            path = owned.path if not merged.reads else "bias" if one else "0.bias"
            yield path, np.concatenate([tensors[name] for name in names])


def _weight(net: Written, merged: Merged, read: Read, tensors: Mapping[str, Array]) -> Array | None:
    """The weights by which a merged layer reads one source: filters of one group after the other."""
    import numpy as np

    orders, rows = iter(read.selection.orders), []
    flat = isinstance(merged.layer, Fc)
    for name, numbers in zip(merged.members, read.inputs, strict=True):
        one = len(net.nodes[name].input_shapes) == 1
        names = [f"{name}.weight"] if one else [f"{name}.{number}.weight" for number in numbers]
        if any(weight not in tensors for weight in names):
            return None
        weights = [tensors[weight] for weight in names]
        if flat:  # a channel of maps is as many columns as it has pixels
            weights = [weight.reshape(len(weight), -1, net.pixels(read.source)) for weight in weights]
        groups = np.split(np.concatenate(weights, axis=1), read.branch.groups)
        rows += [group[:, next(orders)] for group in groups]
    whole = np.concatenate(rows)
    return whole.reshape(len(whole), -1) if flat else whole
