"""How a picture becomes the input, as facts. Colours are compared as colours, in whichever order the net takes them."""

from __future__ import annotations

from netspec.difference.fact import Aspect, Fact, Value, shown
from netspec.spec.model import DataSpec, Spec

_COLOURS = {"rgb": ("R", "G", "B"), "bgr": ("B", "G", "R")}


def data_facts(spec: Spec) -> list[Fact]:
    """The facts of `data`; none where the input is no picture."""
    if spec.input.channels not in (1, 3):
        return []
    data = spec.data
    order = data.channels if spec.input.channels == 3 else "grey"
    resize = "stretched" if data.resize is None else shown(data.resize)
    facts = [
        _fact("resize", data.resize, resize),
        _fact("mirror", data.mirror, shown(data.mirror)),
        _fact("channels", order, order),
        _fact("mean", _mean(data, order), _mean_text(data, order)),
        _fact("std", _std(data, order), _coloured(data.std, order)),
        _fact("color_pca", data.color_pca, shown(data.color_pca)),
        _fact("test_views", data.test_views, shown(data.test_views)),
    ]
    if data.mean in ("image", "color"):
        facts.append(_fact("mean_color", _sorted(data.mean_color, order), _coloured(data.mean_color, order)))
    if data.color_pca > 0:
        facts.append(_fact("color_pca_of", data.color_pca_of, data.color_pca_of))
    return facts


def _fact(what: str, value: Value, text: str, aspect: Aspect = "net") -> Fact:
    return Fact(f"data.{what}", value, text, ("data", what), aspect)


def _mean(data: DataSpec, order: str) -> Value:
    """Words, or numbers by colour; zeros are none."""
    if not isinstance(data.mean, tuple):
        return data.mean
    return _sorted(data.mean, order) if any(data.mean) else "none"


def _mean_text(data: DataSpec, order: str) -> str:
    return _coloured(data.mean, order) if isinstance(data.mean, tuple) else data.mean


def _std(data: DataSpec, order: str) -> Value:
    """Ones divide by nothing."""
    return None if data.std is None or set(data.std) == {1.0} else _sorted(data.std, order)


def _sorted(numbers: tuple[float, ...] | None, order: str) -> Value:
    """Red, green, blue."""
    return numbers[::-1] if numbers is not None and order == "bgr" else numbers


def _coloured(numbers: tuple[float, ...] | None, order: str) -> str:
    if numbers is None or order not in _COLOURS:
        return shown(numbers)
    pairs = zip(_COLOURS[order], numbers, strict=True)
    return ", ".join(f"{name} {shown(number)}" for name, number in sorted(pairs, key=lambda pair: "RGB".index(pair[0])))
