"""cuda-convnet's neurons, as an option of a layer or as a layer.

Source: reference/cuda-convnet.md 1.5.
"""

from __future__ import annotations

import re

from netspec.diagnostics import did_you_mean
from netspec.diagnostics.grammar import count
from netspec.importers.cuda_convnet.layer import FileLayer, Output
from netspec.importers.draft import At
from netspec.syntax.scalars import as_float, shorten

_NEURON = re.compile(r"(?P<name>[A-Za-z0-9_]+)\s*(?:\[(?P<numbers>[0-9., \-]*)\])?")
_NUMBERS = {  # how many each takes
    **dict.fromkeys(("ident", "logistic", "relu", "nrelu", "softrelu", "abs", "square", "sqrt"), 0),
    **dict.fromkeys(("tanh", "linear"), 2),
    **dict.fromkeys(("brelu", "drelu", "log"), 1),
}


def neuron(layer: FileLayer) -> Output:
    """A neuron as a layer; `ident` is what it reads."""
    written = neuron_key(layer, required=True)
    shape, source = layer.shape(), layer.inputs[0]
    return source if written is None else layer.add("neuron", shape, inputs=source.layer, neuron=written)


def neuron_key(layer: FileLayer, required: bool = False) -> At | None:
    """The neuron in the language; None for none, and for `ident`."""
    text = layer.options.text("neuron", None if required else "ident").strip()
    match = _NEURON.fullmatch(text)
    if required and not layer.options.has("neuron"):
        return None  # which was found
    if match is None or match["name"] not in _NUMBERS:
        name = match["name"] if match else text
        help = "numbers in brackets, without exponents: `tanh[1.7,0.67]`"
        help = help if name.partition("[")[0] in _NUMBERS else did_you_mean(name, _NUMBERS, "the neurons are")
        layer.options.find("NS802", "neuron", f"there is no neuron `{shorten(text)}`", help)
        return None
    return _in_the_language(layer, match["name"], match["numbers"])


def _in_the_language(layer: FileLayer, name: str, written: str | None) -> At | None:
    numbers = [] if not (written or "").strip() else [as_float(part.strip()) for part in (written or "").split(",")]
    values = [number for number in numbers if number is not None]
    if len(values) != len(numbers) or len(values) != _NUMBERS[name]:
        wanted = count(_NUMBERS[name], "number") if _NUMBERS[name] else "no numbers"
        layer.options.find("NS802", "neuron", f"`{name}` takes {wanted}", "in brackets, separated by commas")
        return None
    if name == "nrelu":
        layer.lost("neuron", "`nrelu` adds noise at test too; `relu` is the same without it", "neuron")
        name = "relu"
    if name == "ident":
        return None
    return layer.options.at("neuron", f"{name}[{', '.join(map(repr, values))}]" if values else name)
