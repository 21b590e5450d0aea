"""cuda-convnet's fully connected layers: fc, sfc and treefc. They read units channel by channel, row by row.

Source: reference/cuda-convnet.md 1.2, 3.
"""

from __future__ import annotations

from netspec.diagnostics.grammar import listed
from netspec.importers.cuda_convnet.layer import FileLayer, Output
from netspec.importers.cuda_convnet.sharing import shared_weights
from netspec.importers.cuda_convnet.weights import Keys, bias_keys, joined, weight_keys
from netspec.importers.draft import Value
from netspec.ir.shape import Maps, Vector

_CLASSES = {24: 10, 32: 10}  # CIFAR-10's; otherwise ImageNet's
_IMAGENET_CLASSES = 1000


def fc(layer: FileLayer) -> Output:
    """Every output reads every unit."""
    outputs = layer.options.integer("outputs", least=1)
    return _connected(layer, outputs, {"outputs": layer.options.at("outputs", outputs)})


def sfc(layer: FileLayer) -> Output:
    """Each of `parts` parts of the inputs makes `outputs` units."""
    outputs, parts = layer.options.integer("outputs", least=1), layer.options.integer("parts", least=1)
    total = outputs * parts
    if not layer.wrong:
        text = f"`outputs` counts those of one of the {parts} parts: there are {total} in all"
        layer.meaning("groups", text, "outputs")
    keys: Keys = {"outputs": layer.options.at("outputs", total), "groups": layer.options.at("parts", parts)}
    return _connected(layer, total, keys, parts)


def treefc(layer: FileLayer) -> Output:
    """A leaf's weights are a sum along its branch: what it computes is what an fc layer computes."""
    if layer.options.text("weightSource", ""):
        layer.refuse("the weights of a tree of classes are its own", "weightSource", "leave it out")
    outputs = _CLASSES.get(layer.net.side, _IMAGENET_CLASSES)
    text = (
        f"the tree of classes is in the data, not in the file: {outputs} classes are taken (change `outputs`); each"
        " class has weights of its own here, which in the original are sums along the tree's branches"
    )
    layer.meaning("tree", text)
    return _connected(layer, outputs, {"outputs": outputs})


def _connected(layer: FileLayer, outputs: int, keys: Keys, parts: int = 1) -> Output:
    inputs = range(len(layer.inputs))
    spreads, shared, start = layer.options.numbers("initW", len(inputs)), shared_weights(layer), bias_keys(layer)
    sources: list[Value] = [_source(layer, number, parts) for number in inputs]
    _note_flattened(layer)
    weights = [weight_keys(layer, number, spreads, shared) for number in inputs]
    keys |= joined([{} for _ in inputs], weights) | start
    return layer.add("fc", Vector(outputs), inputs=sources if len(sources) > 1 else sources[0], **keys)


def _source(layer: FileLayer, number: int, parts: int) -> str:
    shape, name = layer.shape(number), layer.inputs[number].layer
    if shape.units % parts:
        layer.refuse(f"{parts:,} parts do not divide the {shape.units:,} units of `{name}`", "parts", "a divisor")
    return name if shape.channels % parts == 0 else layer.flat(number)


def _note_flattened(layer: FileLayer) -> None:
    maps = dict.fromkeys(f"`{one.layer}` ({one.shape})" for one in layer.inputs if isinstance(one.shape, Maps))
    if maps:
        verb = "is" if len(maps) == 1 else "are"
        layer.meaning("flatten", f"{listed(list(maps))} {verb} read channel by channel, row by row", "inputs")
