"""Layers of Caffe nets as text, in the last form. It knows no nets."""

from __future__ import annotations

RATES = "param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }"


def layer(name: str, type: str, bottoms: str, tops: str, more: str = "") -> str:
    """One layer; ``bottoms`` and ``tops`` are names with spaces between them."""
    read = " ".join(f'bottom: "{bottom}"' for bottom in bottoms.split())
    made = " ".join(f'top: "{top}"' for top in tops.split())
    return f'layer {{\n  name: "{name}" type: "{type}" {read} {made}\n  {more}\n}}\n'


def conv(name: str, bottom: str, filters: int, size: int, more: str = "", start: str = "") -> str:
    """A convolution; ``start``: its fillers."""
    options = f"num_output: {filters} kernel_size: {size} {more} {start}"
    return layer(name, "Convolution", bottom, name, f"{RATES}\n  convolution_param {{ {options} }}")


def relu(blob: str, name: str = "") -> str:
    """In place."""
    return layer(name or f"relu_{blob}", "ReLU", blob, blob)


def conv_relu(name: str, bottom: str, filters: int, size: int, more: str = "", start: str = "") -> str:
    return conv(name, bottom, filters, size, more, start) + relu(name)


def fc(name: str, bottom: str, outputs: int, start: str = "") -> str:
    return layer(
        name, "InnerProduct", bottom, name, f"{RATES}\n  inner_product_param {{ num_output: {outputs} {start} }}"
    )


def pool(name: str, bottom: str, size: int, stride: int, method: str = "MAX", more: str = "") -> str:
    options = f"pool: {method} kernel_size: {size} stride: {stride} {more}"
    return layer(name, "Pooling", bottom, name, f"pooling_param {{ {options} }}")


def dropout(blob: str, ratio: float = 0.5, name: str = "") -> str:
    """In place."""
    return layer(name or f"drop_{blob}", "Dropout", blob, blob, f"dropout_param {{ dropout_ratio: {ratio} }}")


def deploy_input(*dims: int) -> str:
    return 'input: "data"\n' + "".join(f"input_dim: {dim}\n" for dim in dims)


def data(phase: str, transform: str, options: str) -> str:
    """A data layer of one phase."""
    rules = f"include {{ phase: {phase} }}\n  transform_param {{ {transform} }}\n  data_param {{ {options} }}"
    return layer("data", "Data", "", "data label", rules)
