"""The conformance test notices a wrong rule: each is broken here on purpose, and must be reported as what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from netspec.ir.layer import Layer
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Parameter
from netspec.ir.shape import Maps, Shape, Vector
from netspec.layers import LAYER_TYPES
from netspec.layers.batchnorm import BatchNorm
from netspec.layers.conv import Conv
from netspec.layers.dropout import Dropout
from netspec.layers.fc import Fc
from netspec.layers.image import Blur, Nailbed
from netspec.layers.pool import Pool
from netspec.layers.rnorm import Normalisation, ResponseNorm
from netspec.layers.window import Window
from tests.conformance.forms import Forms
from tests.conformance.layers import seeded_cases
from tests.conformance.rules import RULES

Breaking = Callable[[pytest.MonkeyPatch], None]


def _complaints(kind: str, rule: str) -> list[str]:
    """What one rule of the conformance test says of 60 nets of a type."""
    cases = [case for case, _ in zip(seeded_cases(LAYER_TYPES[kind], 2000), range(60), strict=False)]
    return [problem for case in cases for problem in RULES[rule](Forms.of(case.text()))]


def _shape_by_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LAYER_TYPES["softmax"], "infer", lambda self, inputs: Vector(inputs[0].units + 1))


def _height_by_one(patch: pytest.MonkeyPatch) -> None:
    right = Nailbed.infer

    def infer(self: Nailbed, inputs: tuple[Shape, ...]) -> Shape:
        shape = right(self, inputs)
        assert isinstance(shape, Maps)
        return Maps(shape.channels, shape.height + 1, shape.width)

    patch.setattr(Nailbed, "infer", infer)


def _doubled_macs(cls: type[Layer]) -> Breaking:
    def broken(patch: pytest.MonkeyPatch) -> None:
        right = cls.macs
        patch.setattr(cls, "macs", lambda self, inputs: 2 * right(self, inputs))

    return broken


def _torch_floors(patch: pytest.MonkeyPatch) -> None:
    right = Pool._options
    patch.setattr(Pool, "_options", lambda self, window: right(self, window).replace(", ceil_mode=True", ""))


def _onnx_drops_the_overhang(patch: pytest.MonkeyPatch) -> None:
    def pads(code: OnnxCode, op: str, *inputs: str, **attributes: object) -> str:
        return right(code, op, *inputs, **(attributes | ({"pads": (0, 0, 0, 0)} if op == "Conv" else {})))  # type: ignore[arg-type]

    right = OnnxCode.op
    patch.setattr(OnnxCode, "op", pads)


def _alpha_not_divided(patch: pytest.MonkeyPatch) -> None:
    right = ResponseNorm.torch

    def torch(self: ResponseNorm, code: TorchCode) -> str:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Normalisation, "per_square", lambda self, neighbours: self.alpha)
            return right(self, code)

    patch.setattr(ResponseNorm, "torch", torch)


def _window_moved(patch: pytest.MonkeyPatch) -> None:
    right = Window.pads

    def pads(self: Window, rows: object, columns: object) -> tuple[int, int, int, int]:
        top, left, bottom, right_side = right(self, rows, columns)  # type: ignore[arg-type]
        return (bottom, left, top, right_side)

    patch.setattr(Window, "pads", pads)


def _parameters_without(cls: type[Layer], path: str) -> Breaking:
    def broken(patch: pytest.MonkeyPatch) -> None:
        right = cls.parameters

        def parameters(self: Layer, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
            return tuple(p for p in right(self, inputs) if p.path != path)

        patch.setattr(cls, "parameters", parameters)

    return broken


def _eps_forgotten(patch: pytest.MonkeyPatch) -> None:
    right = BatchNorm.onnx

    def onnx(self: BatchNorm, code: OnnxCode) -> str:
        return right(replace(self, eps=1e-5), code)

    patch.setattr(BatchNorm, "onnx", onnx)


def _keep_for_rate(patch: pytest.MonkeyPatch) -> None:
    def onnx(self: Dropout, code: OnnxCode) -> str:
        return code.op("Mul", code.inputs[0], code.scalar(self.rate))

    patch.setattr(Dropout, "onnx", onnx)


def _flat_taps(patch: pytest.MonkeyPatch) -> None:
    right = Blur.onnx

    def onnx(self: Blur, code: OnnxCode) -> str:
        return right(Blur(inputs=self.inputs, size=self.size, stdev=1000.0), code)

    patch.setattr(Blur, "onnx", onnx)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "broken", "rule"),
    [
        ("softmax", _shape_by_one, "torch shape"),
        ("nailbed", _height_by_one, "torch shape"),
        ("pool", _torch_floors, "torch shape"),
        ("conv", _doubled_macs(Conv), "macs"),
        ("fc", _doubled_macs(Fc), "macs"),
        ("blur", _doubled_macs(Blur), "macs"),
        ("fc", _parameters_without(Fc, "bias"), "parameters"),
        ("batchnorm", _parameters_without(BatchNorm, "running_var"), "parameters"),
        ("conv", _onnx_drops_the_overhang, "onnx shape"),
        ("rnorm", _alpha_not_divided, "values"),
        ("pool", _window_moved, "values"),
        ("batchnorm", _eps_forgotten, "values"),
        ("dropout", _keep_for_rate, "values"),
        ("blur", _flat_taps, "values"),
    ],
)
def test_a_broken_rule_is_reported(kind: str, broken: Breaking, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _complaints(kind, rule)
    broken(monkeypatch)
    assert _complaints(kind, rule)
