"""Which devices a layer of the file is on, and what the draft says of it. It moves no numbers.

Source: reference/cuda-convnet.md 4. The language's list of devices splits channels; the file's is of replicas.
"""

from __future__ import annotations

from netspec.importers.cuda_convnet.layer import FileLayer, inputs_of


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
    """Say once how to train with a part of the batch on each device."""
    if len(devices) < 2 or "replicas" in layer.net.told:
        return
    layer.net.told.add("replicas")
    count = len(devices)
    text = (
        f"from here on each of {count} devices has a part of the batch; the spec says only how a net is split:"
        f" `torchrun --nproc-per-node {count} -m netspec train SPEC --data DIR --mesh data={count}`"
    )
    layer.meaning("replicas", text, "gpu")
