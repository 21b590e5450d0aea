"""What the registry refuses: a class that forgot a rule, and a name that is taken."""

from __future__ import annotations

from typing import ClassVar

import pytest

from netspec.ir.layer import ChannelwiseLayer
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Shape
from netspec.layers import LAYER_TYPES
from netspec.layers.registry import layer_type


class Forgetful(ChannelwiseLayer):
    """It has no graph."""

    type: ClassVar[str] = "forgetful"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def torch(self, code: TorchCode) -> str:
        return code.inputs[0]


class Second(Forgetful):
    """It has all rules, and another's name."""

    type: ClassVar[str] = "conv"

    def onnx(self, code: OnnxCode) -> str:
        return code.inputs[0]


def test_a_class_that_lacks_a_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="layer type `forgetful` lacks onnx"):
        layer_type(Forgetful)  # type: ignore[type-abstract]  # what this test is about
    assert "forgetful" not in LAYER_TYPES


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="layer type `conv` is registered twice"):
        layer_type(Second)
