"""Which devices a layer of the file is on, and what the draft says of it. It moves no numbers.

Source: reference/cuda-convnet.md 4. The language's list of devices splits channels; the file's is of replicas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netspec.diagnostics.grammar import count as amount
from netspec.diagnostics.grammar import listed
from netspec.importers.cuda_convnet.layer import INPUT, FileLayer, Output, inputs_of


def devices_of(layer: FileLayer) -> tuple[int, ...]:
    """Those that the file says for the layer, or for the first one that it reads; none where it says none."""
    texts = layer.options.texts("gpu")
    if texts:
        return layer.options.integers("gpu", len(texts), least=0)
    return layer.inputs[0].devices if layer.inputs else ()


def place(layer: FileLayer, devices: tuple[int, ...]) -> None:
    """Write `gpu` on what was made of a layer that is on one device, where the file does or the language must."""
    _note_replicas(layer, devices)
    net = layer.net
    for name in layer.made:
        made = net.draft.layers[name]
        inherited = net.placed.get(inputs_of(made)[0], 0)
        own = devices[0] if len(devices) == 1 else inherited
        if len(devices) == 1 and (layer.options.has("gpu") or own != inherited):
            made.keys["gpu"] = layer.options.at("gpu", own)
        net.placed[name] = own


def _note_replicas(layer: FileLayer, devices: tuple[int, ...]) -> None:
    """Say once how to train with a part of the batch on each device, and once how where they become fewer."""
    own = max(1, len(devices))
    sources = {name: max(1, len(one.devices)) for name, one in _layers_read(layer) if one.layer != INPUT}
    most = max(sources.values(), default=1)
    if fault := _fault(layer, own, sources):
        layer.meaning("replicas", f"{fault}: the original refuses such a file", "gpu" if own > 1 else "inputs")
    elif own > 1:
        text = f"from here on each of {own} devices has a part of the batch; the spec says only how a net is split"
        _note_once(layer, text, f"data={own}")
    elif most > 1:
        text = f"here the parts of the batch that {most} devices have come together"
        _note_once(layer, text, f"trick={most}")


def _layers_read(layer: FileLayer) -> Iterable[tuple[str, Output]]:
    return zip(layer.options.texts("inputs"), layer.inputs, strict=False)  # of too many, some are not read


def _fault(layer: FileLayer, own: int, sources: Mapping[str, int]) -> str:
    """What the rules of replicas do not allow. ``sources`` are how many each layer that is read has."""
    counts = set(sources.values())
    if len(counts) > 1:
        return f"its inputs have {listed([str(count) for count in sorted(counts)])} replicas"
    if any(count % own for count in counts):
        return f"{amount(own, 'replica')} cannot share the parts that {max(counts)} give"
    others = {layer.net.readers.setdefault(name, own) for name in sources} - {own}
    return f"it has {amount(own, 'replica')}, and others that read the same layer have {max(others)}" if others else ""


def _note_once(layer: FileLayer, text: str, mesh: str) -> None:
    if mesh in layer.net.told:
        return
    layer.net.told.add(mesh)
    processes = mesh.partition("=")[2]
    command = f"torchrun --nproc-per-node {processes} -m netspec train SPEC --data DIR --mesh {mesh}"
    layer.meaning("replicas", f"{text}: `{command}`", "gpu")
