"""The values of a graph that do not depend on its input: given, filled, or moved from others. It computes no layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Final

from netspec.importers.onnx_file.file import HALVES
from netspec.importers.onnx_file.graph import Node
from netspec_runtime.errors import DataError
from netspec_runtime.layout import MAX_RANK

if TYPE_CHECKING:
    from netspec.importers.onnx_file.file import Constant

MAX_NUMBERS: Final = 1 << 29  # what one ONNX file can hold: 2 GiB of float32
MAX_MOVED: Final = 1 << 26
_MOST_SHAPE: Final = 64
Dims = tuple[int, ...]  # of one image


@dataclass
class Folding:
    """Constants by name: the given ones, and those that `take` makes of them, node by node in order.

    ``filled`` counts numbers that stand for themselves, ``moved`` those that were laid out again, which are as many as
    the file gives, or ``MAX_MOVED``, at most. ``halves`` are the types of half precision that some had: here these are
    float32.
    """

    where: str
    found: dict[str, Constant]
    filled: int = 0
    moved: int = 0
    halves: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.found |= {name: self._widened(array) for name, array in self.found.items()}
        self._most_moved = max(MAX_MOVED, sum(array.size for array in self.found.values()))

    def take(self, node: Node, dims: Callable[[str], Dims | None]) -> bool:
        """Whether a node's output is a constant. ``dims`` are those of an image's values, for `Shape`.

        Raises DataError where the graph asks for more numbers than a net can have.
        """
        array = _folded(node, self.found, dims)
        if array is None:
            return False
        if node.op in ("ConstantOfShape", "Expand"):
            self.filled += array.size
        elif self._is_laid_out(array, node):
            self.moved += array.size
        if self.filled > MAX_NUMBERS or self.moved > self._most_moved:
            most = MAX_NUMBERS if self.filled > MAX_NUMBERS else self._most_moved
            reason = f"its constants ask for more than {most:,} numbers"
            raise DataError(self.where, reason, "no net is this large")
        self.found[node.output] = self._widened(array)
        return True

    def _widened(self, array: Constant) -> Constant:
        """An array of half precision as float32, which holds the same numbers."""
        import numpy as np

        if array.dtype.name not in HALVES:
            return array
        self.halves |= {array.dtype.name}
        if array.size and not any(array.strides):
            return np.broadcast_to(np.float32(array[(0,) * array.ndim]), array.shape)
        return array.astype(np.float32)

    def _is_laid_out(self, array: Constant, node: Node) -> bool:
        """Whether an array has memory of its own that the file does not have: it is no view, and not one number."""
        import numpy as np

        if node.op == "Constant" or not any(array.strides):
            return False
        return not any(np.may_share_memory(array, self.found[name]) for name in node.inputs if name in self.found)


def _folded(node: Node, found: dict[str, Constant], dims: Callable[[str], Dims | None]) -> Constant | None:
    """What a node makes where all that it reads is constant; None where that is not known."""
    if node.op == "Shape":
        return _shape(node, found, dims)
    rule = _FOLDS.get(node.op)
    names = [name for name in node.inputs if name]
    if node.op == "CastLike" and node.input(1) not in found:
        names = names[:1]  # as a layer's values, which are float32
    if rule is None or any(name not in found for name in names):
        return None
    try:
        return rule(node, [found[name] for name in names])
    except (ValueError, TypeError, IndexError, OverflowError, KeyError):
        return None  # whoever needs it will say that it is no constant


def _shape(node: Node, found: dict[str, Constant], dims: Callable[[str], Dims | None]) -> Constant | None:
    """The shape of a value, or a part of it; 0 stands for the batch, which is what Reshape reads as "the same"."""
    import numpy as np

    constant, known = found.get(node.input(0)), dims(node.input(0))
    if constant is None and known is None:
        return None
    shape = constant.shape if constant is not None else (0, *(known or ()))
    return np.array(shape[node.integer("start", 0) : node.integer("end", len(shape))], np.int64)


def _constant(node: Node, _: Sequence[Constant]) -> Constant:
    import numpy as np

    if "value" in node.tensors:
        return node.tensors["value"]
    name, value = next(iter(node.attributes.items()), ("", 0))
    if name not in ("value_int", "value_ints", "value_float", "value_floats"):
        raise ValueError(name)
    return np.asarray(value, np.float32 if "float" in name else np.int64)


def _filled(node: Node, arrays: Sequence[Constant]) -> Constant:
    """ConstantOfShape, without its memory: every element is the same one."""
    import numpy as np

    dims = tuple(int(size) for size in arrays[0].reshape(-1)[:_MOST_SHAPE])
    value = node.tensors["value"].reshape(-1)[0] if "value" in node.tensors else np.float32(0)
    if min(dims, default=0) < 0 or prod(dims) > MAX_NUMBERS:
        raise ValueError("a shape that no tensor has")
    return np.broadcast_to(value, dims)


def _expanded(_: Node, arrays: Sequence[Constant]) -> Constant:
    """Expand, without its memory where it repeats one number."""
    import numpy as np

    array, dims = arrays[0], tuple(int(size) for size in arrays[1].reshape(-1)[:_MOST_SHAPE])
    shape = _common_shape(array.shape, dims)
    if array.size != 1:
        _bounded(prod(shape))
    if prod(shape) > MAX_NUMBERS:
        raise ValueError("a shape that no tensor has")
    return np.broadcast_to(array.reshape(-1)[0] if array.size == 1 else array, shape)


def _common_shape(*shapes: Dims) -> Dims:
    import numpy as np

    if max(map(len, shapes)) > MAX_RANK:
        raise ValueError("more dimensions than a tensor has")
    return np.broadcast_shapes(*shapes)


def _equal(_: Node, arrays: Sequence[Constant]) -> Constant:
    import numpy as np

    a, b = arrays
    _bounded(prod(_common_shape(a.shape, b.shape)))
    if not (a.all() and b.all()):
        raise ValueError("0 may stand for the batch")
    return np.asarray(np.equal(a, b))


def _reshaped(node: Node, arrays: Sequence[Constant]) -> Constant:
    import numpy as np

    array = arrays[0]
    wanted = node.integers("shape") or tuple(int(size) for size in arrays[1].reshape(-1)[:_MOST_SHAPE])
    copied = [array.shape[place] if size == 0 else size for place, size in enumerate(wanted)]
    if array.size and not any(array.strides):
        rest = array.size // abs(prod(size for size in copied if size != -1))
        return np.broadcast_to(array[(0,) * array.ndim], [rest if size == -1 else size for size in copied])
    return array.reshape(copied)


def _axes(node: Node, arrays: Sequence[Constant]) -> tuple[int, ...] | None:
    """The axes of (Un)squeeze: an attribute up to opset 12, then an input."""
    if len(arrays) > 1:
        return tuple(int(axis) for axis in arrays[1].reshape(-1)[:_MOST_SHAPE])
    return node.integers("axes")


def _unsqueezed(node: Node, arrays: Sequence[Constant]) -> Constant:
    import numpy as np

    return np.expand_dims(arrays[0], _axes(node, arrays) or ())


def _squeezed(node: Node, arrays: Sequence[Constant]) -> Constant:
    import numpy as np

    return np.squeeze(arrays[0], _axes(node, arrays))


def _transposed(node: Node, arrays: Sequence[Constant]) -> Constant:
    return arrays[0].transpose(node.integers("perm"))


def _concatenated(node: Node, arrays: Sequence[Constant]) -> Constant:
    import numpy as np

    _bounded(sum(array.size for array in arrays))
    return np.concatenate(arrays, node.integer("axis", 0))


def _gathered(node: Node, arrays: Sequence[Constant]) -> Constant:
    import numpy as np

    axis, (data, indices) = node.integer("axis", 0), arrays
    _bounded(data.size // max(1, data.shape[axis]) * indices.size)
    return np.take(data, indices.astype(np.int64), axis)


def _sliced(node: Node, arrays: Sequence[Constant]) -> Constant:
    """A part of each axis that is named; lists were attributes up to opset 9."""
    if "" in node.inputs:
        raise ValueError("a list is left out between others")
    lists = [tuple(int(number) for number in array.reshape(-1)[:_MOST_SHAPE]) for array in arrays[1:]]
    starts, ends, *more = lists or [node.integers("starts") or (), node.integers("ends") or ()]
    axes = more[0] if more else node.integers("axes") or tuple(range(len(starts)))
    steps = more[1] if len(more) > 1 else (1,) * len(starts)
    kept = [slice(None)] * arrays[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        kept[axis] = slice(start, end, step)
    part: Constant = arrays[0][tuple(kept)]
    return part


def _cast(node: Node, arrays: Sequence[Constant]) -> Constant:
    import numpy as np

    kinds = {1: np.float32, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64}
    _bounded(arrays[0].size)
    return arrays[0].astype(kinds[node.integer("to", 0)])


def _cast_alike(_: Node, arrays: Sequence[Constant]) -> Constant:
    import numpy as np

    _bounded(arrays[0].size)
    return arrays[0].astype(arrays[1].dtype if len(arrays) > 1 else np.float32)


def _bounded(size: int) -> None:
    if size > MAX_MOVED:
        raise ValueError("more than any shape or index needs")


_FOLDS: Final[dict[str, Callable[[Node, Sequence[Constant]], Constant]]] = {
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Identity": lambda node, arrays: arrays[0],
    "Reshape": _reshaped,
    "Unsqueeze": _unsqueezed,
    "Squeeze": _squeezed,
    "Transpose": _transposed,
    "Concat": _concatenated,
    "Gather": _gathered,
    "Slice": _sliced,
    "Cast": _cast,
    "CastLike": _cast_alike,
    "Expand": _expanded,
    "Equal": _equal,
}
