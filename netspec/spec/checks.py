"""What no annotation can say about the decoded keys: names, numbers that must agree, counts. It knows no shapes."""

from __future__ import annotations

from netspec.diagnostics import Diagnostic, Findings
from netspec.diagnostics.grammar import a
from netspec.ir.layer import Layer
from netspec.source import Span
from netspec.spec.model import LANGUAGE, DataSpec, Header, RateSpec
from netspec.spec.names import NET_NAME, hides_module, layer_name_problem, net_name_help
from netspec.syntax.scalars import shorten
from netspec.syntax.spans import SpanTable

MAX_INPUTS = 256


def check_header(header: Header, spans: SpanTable, findings: Findings) -> None:
    """NS210, NS207, NS208 and what `data` says."""
    if header.netspec != LANGUAGE:
        message = f"version {header.netspec} of the language is not known"
        help = f"this netspec reads `netspec: {LANGUAGE}`"
        findings.add(Diagnostic("NS210", message, spans.value("netspec"), help=help))
    if not NET_NAME.fullmatch(header.name):
        message = f"`{shorten(header.name)}` is no name for a net"
        findings.add(Diagnostic("NS207", message, spans.value("name"), help=net_name_help(header.name)))
    elif hides_module(header.name):
        message = f"the module of a net called `{header.name}` would hide one of Python, or could not be imported"
        findings.add(Diagnostic("NS208", message, spans.value("name"), help=f"for instance `{header.name}-net`"))
    check_name(header.input.name, spans.value("input", "name"), findings)
    _check_data(header.data, header, spans, findings)
    for name in ("lr", "lr_b"):
        _check_rate(name, getattr(header.train, name), spans, findings)


def check_name(name: str, place: Span, findings: Findings) -> None:
    """NS207 or NS208 for a name that no layer can have."""
    if problem := layer_name_problem(name):
        code, message, help = problem
        findings.add(Diagnostic(code, message, place, help=help))


def check_layer(name: str, layer: Layer, spans: SpanTable, findings: Findings) -> None:
    """NS308: how many inputs; NS403: a device twice."""
    least, most = layer.arity
    count = len(layer.inputs)
    if count > MAX_INPUTS:
        place = spans.value("layers", name, "inputs", MAX_INPUTS)
        help = "join some of them first with `concat` or `eltsum` layers"
        findings.add(Diagnostic("NS111", f"more than {MAX_INPUTS} inputs", place, help=help))
    elif count < least or (most is not None and count > most):
        wanted = str(least) if most == least else (f"{least} to {most}" if most else f"at least {least}")
        message = f"{a(layer.type)} layer takes {wanted} input{'' if wanted == '1' else 's'}, found {count}"
        together = "put them together first with a `concat` or an `eltsum` layer"
        help = together if count > least else "name more: `inputs: [conv1, conv2]`"
        findings.add(Diagnostic("NS308", message, spans.value("layers", name, "inputs"), help=help))
    for number, device in enumerate(layer.gpu or ()):
        if device in (layer.gpu or ())[:number]:
            place = spans.value("layers", name, "gpu", number)
            help = "a list has each device once; the output is split evenly over them"
            findings.add(Diagnostic("NS403", f"device {device} stands in the list twice", place, help=help))


def _check_data(data: DataSpec, header: Header, spans: SpanTable, findings: Findings) -> None:
    size = header.input.size
    if data.crop is not None and data.crop != size:
        message = f"a crop of {data.crop[0]}x{data.crop[1]} is not the input's {size[0]}x{size[1]}"
        help = "make `crop` and `input.size` agree"
        findings.add(Diagnostic("NS217", message, spans.value("data", "crop"), help=help))
    if data.resize is not None and data.resize < max(size):
        message = f"a picture scaled to {data.resize} pixels does not cover the input's {size[0]}x{size[1]}"
        help = f"`resize` must be at least {max(size)}"
        findings.add(Diagnostic("NS217", message, spans.value("data", "resize"), help=help))
    if data.test_views not in (1, 10):
        message = f"{data.test_views} views cannot be averaged: expected 1 or 10"
        help = "10 are the four corners, the centre, and their reflections"
        findings.add(Diagnostic("NS205", message, spans.value("data", "test_views"), help=help))
    for name in ("mean", "mean_color", "std"):
        _check_colour(name, getattr(data, name), header.input.channels, spans, findings)


def _check_colour(name: str, values: object, channels: int, spans: SpanTable, findings: Findings) -> None:
    if not isinstance(values, tuple):
        return
    place = spans.value("data", name)
    if len(values) != channels:
        pairs = ((len(values), "number"), (channels, "channel"))
        numbers, planes = (f"{count} {what}{'s' * (count != 1)}" for count, what in pairs)
        help = "one number for each channel of the input"
        findings.add(Diagnostic("NS209", f"{numbers} for {planes}", place, help=help))
    for number, value in enumerate(values):
        if name == "std" and value <= 0:
            where = spans.value("data", name, number)
            findings.add(Diagnostic("NS204", f"`std` is {value:g}, but must be above 0", where, help="it is a divisor"))


def _check_rate(name: str, rate: float | RateSpec | None, spans: SpanTable, findings: Findings) -> None:
    if not isinstance(rate, RateSpec):
        return
    plateau = ("when", "times", "patience")
    idle = {"steps": ("levels",), "dexp": plateau, "jdexp": plateau}
    for key in idle.get(rate.curve, (*plateau, "levels")):
        if (path := ("train", name, key)) in spans.keys:
            message = f"`{key}` has no meaning with `curve: {rate.curve}`"
            findings.add(Diagnostic("NS217", message, spans.key(*path), help="remove one of the two"))
    epochs = rate.when if isinstance(rate.when, tuple) else ()
    if sorted(set(epochs)) != list(epochs):
        place, help = spans.value("train", name, "when"), f"`{sorted(set(epochs))}`"
        findings.add(Diagnostic("NS217", "the numbers of epochs do not rise", place, help=help))
