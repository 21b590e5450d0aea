"""Damaged Caffe files: nets as text by tokens, files of weights by bytes. A number always gives the same mutant."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Final

SMALL: Final = """name: "small"  # every form of the format
layer { name: 'data' type: "Da" 'ta\\x41\\101' top: "data"; top: "label"
  transform_param < mirror: true scale: 0.00390625f mean_value: [104, 117., -1e2] >, include { phase: TRAIN } }
layer: [ { name: "c" loss_weight: [] param { lr_mult: 1 decay_mult: -.5e-3 } }, { type: "ReLU" bottom: "c" } ]
layer { convolution_param { kernel_size: [3, 0x5] pad: 010 engine: 1 bias_term: f group: 2 }
  pooling_param: { pool: MAX } unknown: -3 other { a: "b" c: [1, 2] } }
"""
OLDEST: Final = """name: "oldest"
layers { layer { name: "data" type: "data" batchsize: 8 cropsize: 9 meanfile: "m" } top: "data" top: "label" }
layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 3 stride: 2 blobs_lr: 1 blobs_lr: 2
  weight_decay: 1 weight_filler { type: "gaussian" std: 0.01 } } bottom: "pad1" top: "conv1" }
layers { layer { name: "fc" type: "innerproduct" num_output: 3 biasterm: false } bottom: "conv1" top: "fc" }
layers { layer { name: "loss" type: "softmax_loss" } bottom: "fc" bottom: "label" }
"""
MIDDLE: Final = """name: "middle" input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 9
layers { bottom: "data" top: "conv1" name: "conv1" type: CONVOLUTION blobs_lr: 1 blobs_lr: 2 param: "w" weight_decay: 1
  convolution_param { num_output: 4 kernel_size: 3 } }
layers { bottom: "conv1" top: "pool1" name: "pool1" type: POOLING
  pooling_param { pool: AVE kernel_h: 2 ceil_mode: false } }
layers { bottom: "pool1" top: "prob" name: "prob" type: SOFTMAX }
"""

_TOKEN: Final = re.compile(r"\s+|[A-Za-z_]+|[0-9.]+|.", re.DOTALL)
_TOKENS: Final = (
    *"{}[]<>:,;-\"'#\n\\/. \x00é\ufeff\u202e\ud800",
    *("0x1F", "1e5", "1.f", "inf", "-inf", "nan", "1e39", "true", "t", "MAX", "FOO", '"a"', "'b'", '"', "9" * 500),
    *("name", "layer", "layers", "type", "pad", "pool", "kernel_size", "input_dim: 3", "bottom: 'data'", "blobs { }"),
    *(".5", "08", "010", "1e", "-1", "1.5", "99999999999", "4294967295", "[a.b]: 3", "[type.x/y] { }", "layer {" * 60),
    *("blobs { data: [1, 2] shape { dim: 2 } }", "blobs { num: 1000000 height: 1000000 }", "\\777", "\\xzz", "\\u12"),
)
_NUMBER: Final = re.compile(r"(?<=: )-?[0-9.]+(?:e-?[0-9]+)?")
_NUMBERS: Final = (
    *("0", "1", "2", "3", "5", "7", "64", "1000", "4096", "100000", "2147483647", "4294967295", "9000000000000"),
    *("-1", "-2", "-7", "0.5", "-0.1", "1e-30", "3e38", "1e-45", "true", "MAX"),
)
_TEXT: Final = re.compile(r"\"[^\"\n]*\"|\b[A-Z][A-Z_]+\b")
_NAME: Final = re.compile(r"[a-z_]+(?=[:{]| [:{])")
_FIELD: Final = re.compile(r"[a-z_]+: *(?:\"[^\"\n]*\"|[^\s\"]+)|\b[a-z_]+ \{[^{}]*\}")


def text_mutant(seed: int, texts: Sequence[str] = (SMALL, OLDEST, MIDDLE)) -> str:
    """Mutant number ``seed`` of a small net: one to three tokens changed, or numbers, words, fields and layers."""
    chance = random.Random(seed)
    text = chance.choice(texts)
    change = chance.choice((_change_tokens, _change_values))
    for _ in range(chance.randint(1, 3)):
        text = change(text, chance)
    return text


def _change_tokens(text: str, chance: random.Random) -> str:
    """Mostly no text of the format any more."""
    tokens = _TOKEN.findall(text)
    at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    kind = chance.randrange(5)
    if kind == 0:
        tokens[at] = chance.choice(_TOKENS)
    elif kind == 1:
        tokens.insert(at, chance.choice(_TOKENS))
    elif kind == 2:
        del tokens[at]
    elif kind == 3:
        tokens[at], tokens[other] = tokens[other], tokens[at]
    else:
        tokens[at:at] = tokens[min(at, other) : min(at, other) + 40] * chance.choice((1, 3))
    return "".join(tokens)


def _change_values(text: str, chance: random.Random) -> str:
    """Still a text of the format: other values, fields taken out, layers doubled or in another order."""
    kind = chance.randrange(5)
    if kind == 0:
        return _with(text, _NUMBER, chance.choice(_NUMBERS), chance)
    if kind == 1:
        return _with(text, _TEXT, chance.choice(_TEXT.findall(text) or [""]), chance)
    if kind == 2:
        return _with(text, _FIELD, "", chance)
    if kind == 3:
        return _with(text, _NAME, chance.choice(_NAME.findall(text) or [""]), chance)
    layers = re.split(r"(?m)^(?=layers?\b)", text)
    at = chance.randrange(len(layers))
    layers[at:at] = [layers.pop(chance.randrange(len(layers)))] * chance.choice((1, 1, 2))
    return "".join(layers)


def _with(text: str, what: re.Pattern[str], new: str, chance: random.Random) -> str:
    """One of the matches replaced."""
    found = list(what.finditer(text))
    if not found:
        return text
    one = chance.choice(found)
    return text[: one.start()] + new + text[one.end() :]


def bytes_mutant(content: bytes, seed: int) -> bytes:
    """Mutant number ``seed`` of a binary file: one to eight stretches changed, taken out or doubled."""
    chance, data = random.Random(seed), bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at, length = chance.randrange(len(data)), chance.randrange(1, 40)
        kind = chance.randrange(5)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at : at + 1] = b"\xff" * chance.choice((1, 4, 9))  # a length or number far too large
        else:
            data[at:at] = data[chance.randrange(len(data)) :][:length]
        data = data or bytearray(b"\0")
    return bytes(data)
