"""cuda-convnet's layers that put several inputs together or pass one on, and softmax.

Source: reference/cuda-convnet.md 1.2; 8 (21: where the coefficients of eltsum stand).
"""

from __future__ import annotations

from netspec.importers.cuda_convnet.layer import FileLayer, Output
from netspec.importers.cuda_convnet.options import Options
from netspec.importers.draft import Value
from netspec.ir.shape import Shape, Vector


def concat(layer: FileLayer) -> Output:
    """One after the other, unit by unit: of maps of one size the channels."""
    shapes = [layer.shape(number) for number in range(len(layer.inputs))]
    first = shapes[0]
    if all(shape.dims[1:] == first.dims[1:] for shape in shapes):
        sources: list[Value] = [one.layer for one in layer.inputs]
        return layer.add("concat", first.with_channels(sum(shape.channels for shape in shapes)), inputs=sources)
    layer.meaning("flatten", "maps of several sizes are put together unit by unit", "inputs")
    flat: list[Value] = [layer.flat(number) for number in range(len(shapes))]
    return layer.add("concat", Vector(sum(shape.units for shape in shapes)), inputs=flat)


def eltsum(layer: FileLayer) -> Output:
    """Each input times its coefficient."""
    coefficients = _where_coefficients_are(layer).numbers("coeffs", len(layer.inputs), 1.0)
    sources, shape = _alike(layer)
    if all(coefficient == 1 for coefficient in coefficients):
        return layer.add("eltsum", shape, inputs=sources)
    value = _where_coefficients_are(layer).at("coeffs", coefficients)
    return layer.add("eltsum", shape, inputs=sources, coefficients=value)


def eltmax(layer: FileLayer) -> Output:
    """Of two inputs or more."""
    if len(layer.inputs) < 2:
        layer.options.refuse("NS802", "inputs", "one input has no larger one", "two inputs, or more")
    sources, shape = _alike(layer)
    layer.dropped(
        "ties", "where inputs are equal, cuda-convnet gives the gradient to each of them, netspec shares it out"
    )
    return layer.add("eltmax", shape, inputs=sources)


def total(layer: FileLayer) -> Output:
    """``sum``, which the parser of 2014 takes and nothing computes."""
    layer.options.integer("stride", 1, least=1)
    layer.lost("sum", "the original reads a layer of type `sum`, but cannot compute it", "type")
    return layer.inputs[0]


def softmax(layer: FileLayer) -> Output:
    """Over all units."""
    return layer.add("softmax", Vector(layer.shape().units), inputs=layer.inputs[0].layer)


def _where_coefficients_are(layer: FileLayer) -> Options:
    """In the definition until 2012, in the parameter file since."""
    in_definition = layer.options.has("coeffs") and layer.net.dialect != "2014"
    return layer.options if layer.net.dialect == "2012" or in_definition else layer.params


def _alike(layer: FileLayer) -> tuple[Value, Shape]:
    """The inputs, flat where maps and units come together."""
    shapes = [layer.shape(number) for number in range(len(layer.inputs))]
    for number, shape in enumerate(shapes):
        if shape.units != shapes[0].units:
            first, other = layer.inputs[0].layer, layer.inputs[number].layer
            message = f"`{other}` has {shape.units:,} units, but `{first}` has {shapes[0].units:,}"
            layer.refuse(message, "inputs", "inputs of one size")
    if all(shape == shapes[0] for shape in shapes):
        sources: list[Value] = [one.layer for one in layer.inputs]
        return sources, shapes[0]
    layer.meaning("flatten", "inputs of several shapes are put together unit by unit", "inputs")
    flat: list[Value] = [layer.flat(number) for number in range(len(shapes))]
    return flat, Vector(shapes[0].units)
