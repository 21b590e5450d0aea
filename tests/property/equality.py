"""What must hold for any net: all its forms compute the same, and placement loses nothing. It returns what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from netspec.backends.torch import emit_module
from netspec.ir.lowering import LrnForm
from netspec.ir.placed import PlacedGraph
from netspec.pipeline import compile_spec
from netspec.spec.load import load_text
from netspec.weights import tied_names
from tests.conformance.agreement import MORE_THAN_STRAY, exact_difference, first_difference
from tests.conformance.forms import Floats, Forms, Values, Weights, doubled, run_onnx, run_torch
from tests.conformance.rules import torch_shape_problems

GRADIENTS = {torch.float32: 1e-5, torch.float64: 1e-9}
LEAST = 1e-3  # of all gradients: one that nearly vanishes has no digits to compare
EXACT = 1e-9


def differences(text: str, lrn: LrnForm, seed: int = 0) -> list[str]:
    """Everything that is wrong with a net, on the numbers of a seed. Raises SpecError for an illegal net."""
    forms = Forms.of(text)
    weights, batch = forms.weights(seed), forms.inputs(seed)
    found = [
        *torch_shape_problems(forms),
        *conservation(forms),
        *determinism(text),
        *values(forms, weights, batch, lrn),
    ]
    if len(forms.net.placed.devices) > 1:
        found += [*gradients(forms, weights, batch), *round_trip(forms, weights)]
    return found


def values(forms: Forms, weights: Weights, batch: Floats, lrn: LrnForm) -> Iterator[str]:
    """Every layer: merged torch against onnxruntime and against split torch; outputs with one file a device."""
    merged = run_torch(forms.merged(weights), batch)
    exact = run_torch(forms.merged(doubled(weights)).double(), batch.astype(np.float64))
    yield from _named(f"onnx, lrn {lrn}", run_onnx(forms.onnx(weights, lrn), forms.names, batch), merged, exact)
    if len(forms.net.placed.devices) > 1:
        files = forms.run_split_files(weights, lrn, batch)
        yield from _named("one file a device", files, {name: merged[name] for name in files}, exact)
        if sorted(files) != sorted(forms.net.typed.outputs):
            yield f"one file a device: the outputs are {sorted(files)}"
        yield from _named("split", run_torch(forms.split(weights), batch), merged, exact)
        split = run_torch(forms.split(doubled(weights)).double(), batch.astype(np.float64))
        if difference := first_difference(split, exact, exact, EXACT):
            yield f"split in float64: {difference}"
        yield from _dropping(forms, weights, batch)


def _dropping(forms: Forms, weights: Weights, batch: Floats) -> Iterator[str]:
    """Dropout as in training, the other layers as at test: split drops the units that merged drops."""
    modules = [forms.merged(weights), forms.split(weights), forms.merged(doubled(weights)).double()]
    if not hasattr(modules[0], "draw"):
        return
    for module in modules:
        module.draw, module.training = torch.tensor([2012, 3], dtype=torch.int32), True
    merged, split = (run_torch(module, batch) for module in modules[:2])
    yield from _named("split with dropout", split, merged, run_torch(modules[2], batch.astype(np.float64)))


def _named(form: str, found: Values, wanted: Values, exact: Values) -> Iterator[str]:
    if difference := first_difference(found, wanted, exact):
        yield f"{form}: {difference}"


def gradients(forms: Forms, weights: Weights, batch: Floats) -> Iterator[str]:
    """Of the input and every parameter: merged against split, relative to the gradient's norm."""
    exact, wide = gradients_of(forms, doubled(weights), batch.astype(np.float64))
    merged, split = gradients_of(forms, weights, batch)
    least = LEAST * sum(float(gradient.norm()) for gradient in exact.values() if gradient.isfinite().all())
    for name, gradient in exact.items():
        stray = distance(merged[name], gradient, least)
        if not (error := distance(wide[name], gradient, least)) <= GRADIENTS[torch.float64]:
            yield f"gradient of `{name}` in float64: {error:.1e}"
        allowed = max(GRADIENTS[torch.float32], MORE_THAN_STRAY * stray)
        if not (error := distance(split[name], merged[name], least)) <= allowed:
            yield f"gradient of `{name}`: {error:.1e}, float32 strays {stray:.1e}"


def gradients_of(forms: Forms, weights: Weights, batch: Floats) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Of merged and of split, by merged names."""
    learned = {p.name for p in forms.net.typed.parameters if p.parameter.role != "statistic"}
    pieces_of = {part for name, part, _, _ in forms.rows if name in learned}
    merged = _backward(_precise(forms.merged(weights), batch), batch, forms.names, learned)
    parts = _backward(_precise(forms.split(weights), batch), batch, forms.names, pieces_of)
    rows: dict[str, list[Tensor]] = {"(input)": [parts["(input)"]]}
    for name, part, _, _ in forms.rows:
        if part in parts:
            rows.setdefault(name, []).append(parts[part])
    return merged, {name: torch.cat(pieces) for name, pieces in rows.items()}


def _precise(module: nn.Module, batch: Floats) -> nn.Module:
    """A net without weights has no precision of its own."""
    return module.double() if batch.dtype == np.float64 else module


def _backward(module: nn.Module, batch: Floats, layers: list[str], names: set[str]) -> dict[str, Tensor]:
    """Gradients of a random weighting of all layers, so that none vanishes, by the image and the named parameters."""
    image = torch.from_numpy(batch).requires_grad_()
    found = module(image)
    generator = torch.Generator().manual_seed(2012)
    noise = [torch.randn(found[name].shape, generator=generator, dtype=torch.float64) for name in layers]
    terms = [(found[name] * weight.to(image.dtype)).sum() for name, weight in zip(layers, noise, strict=True)]
    total = torch.stack(terms).sum()
    slots = dict(module.named_parameters(remove_duplicate=False))
    named = {"(input)": image, **{name: slots[name] for name in sorted(names)}}
    made = torch.autograd.grad(total, list(named.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(named, made, strict=True))


def distance(found: Tensor, wanted: Tensor, least: float) -> float:
    """|found - wanted| / |wanted|, but at least over ``least``; NaN in the same places is equal, elsewhere far."""
    a, b = found.double().flatten(), wanted.double().flatten()
    if not torch.equal(torch.isfinite(a), torch.isfinite(b)):
        return float("inf")
    a, b = a[torch.isfinite(a)], b[torch.isfinite(b)]
    apart, size = float((a - b).norm()), max(float(b.norm()), least)
    return apart / size if size else apart


def round_trip(forms: Forms, weights: Weights) -> list[str]:
    """Weights merged -> split -> merged are the same bytes, under every name that the merged module has."""
    split = forms.split(weights)
    state: dict[str, Tensor] = split.merged_state()  # type: ignore[operator]  # the generated class has it
    wanted = weights | {tied: weights[owner] for tied, owner in tied_names(forms.net.typed).items()}
    found = {name: state[name].numpy() for name in wanted if name in state}
    difference = exact_difference(found, wanted) or ", ".join(set(state) - set(wanted))
    forms.classes[0]().load_state_dict(state)
    return [f"weights through the split module: {difference}"] if difference else []


def determinism(text: str) -> list[str]:
    """Two compilations give the same text."""
    first, second = (generated(text) for _ in range(2))
    return [] if first == second else ["two builds differ"]


def generated(text: str) -> str:
    """The module's source."""
    net = compile_spec(load_text(text))
    return emit_module(net.spec, net.merged, net.placed)


def conservation(forms: Forms) -> Iterator[str]:
    """Devices add up to the net: parameters and multiply-adds."""
    typed = forms.net.typed
    for graph in (forms.net.merged, forms.net.placed):
        if sum(map(graph.parameters_on, graph.devices)) != typed.parameter_count:
            yield f"{_where(graph)} hold {[graph.parameters_on(d) for d in graph.devices]} of {typed.parameter_count}"
        if sum(map(graph.macs_on, graph.devices)) != typed.macs:
            yield f"{_where(graph)} do {[graph.macs_on(d) for d in graph.devices]} of {typed.macs} multiply-adds"


def _where(graph: PlacedGraph) -> str:
    return f"devices {graph.devices}"
