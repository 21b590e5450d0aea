"""cuda-convnet's parameter files to `train` and the layers' rates. What changes the net's output is read elsewhere.

Source: reference/cuda-convnet.md 2, 4 (update periods), 7 (dialects D0 to D6).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from netspec.diagnostics import Diagnostic, Findings
from netspec.diagnostics.grammar import a
from netspec.diagnostics.suggest import said, suggestion
from netspec.importers.cuda_convnet.dialect import dialect_of, type_of
from netspec.importers.cuda_convnet.rates import (
    RATE_OPTIONS,
    WITHOUT_COUNTERPART,
    LayerRates,
    old_schedule,
    place_of,
    read_rates,
)
from netspec.importers.cuda_convnet.recipe import write_recipe
from netspec.importers.cuda_convnet.schedules import split_list
from netspec.importers.cuda_convnet.sections import Option, Section
from netspec.importers.draft import Draft
from netspec.importers.remark import Remarks
from netspec.syntax.scalars import as_float, as_int, shorten

LEARNED = ("conv", "local", "fc", "sfc", "treefc")
_RATES = (*RATE_OPTIONS, *WITHOUT_COUNTERPART)
_NORM = ("scale", "pow", "minDiv")
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(LEARNED, _RATES),
    **dict.fromkeys(("rnorm", "cmrnorm", "cnorm"), _NORM),
    "hs": ("enable",),
    **dict.fromkeys(("dropout", "dropout2"), ("enable", "keep")),
    "eltsum": ("coeffs",),
    "pool": ("doMax",),
}
_COST = ("coeff", "topk", "setSize", "threads", "posWeight")
_ANY = ("quantF", "quantB")
_NOT_IN_2014 = ("schedw", "schedb", "sched", "supereps", "supermom")
_REPORTED = (1, 5)  # `train` and `eval` report top-1 and top-5 errors


def apply_rates(
    draft: Draft,
    definition: Mapping[str, Section],
    params: Mapping[str, Section],
    layers: Mapping[str, str],
    remarks: Remarks,
    shared: Collection[tuple[str, int]] = (),
) -> None:
    """Write `train`, and the rates and decays of the draft's layers, as a parameter file has them.

    ``definition`` and ``params`` are the sections of the two files; ``layers`` gives the draft's layer for each layer
    of the definition that has one; ``shared`` are the inputs of layers, by their numbers, whose weights are another's,
    and learn as those do. The language has one schedule for weights and one for biases, with a factor for
    each layer; what does not fit is remarked on, and fails no import, because it changes only how the net is trained.
    Raises SpecError: NS802 for a value that cannot be read, NS803 for a section or option that is missing, NS808 for
    lists that do not fit the layer's inputs.
    """
    findings, given = Findings(), params
    if dialect_of(definition, params) == "2014":
        given = {name: _as_in_2014(section, remarks) for name, section in params.items()}
    rates = {name: _rates(section, definition, given, findings, remarks) for name, section in definition.items()}
    for name, section in params.items():
        if name in definition:
            _check_others(type_of(definition[name]), section, findings, remarks)
        else:
            text = f"the net has no layer `{shorten(name)}`; cuda-convnet skips the section too"
            remarks.dropped("section", text, section.place, name)
    findings.stop_on_errors()
    _note_old_schedule(given, remarks)
    known = {
        layers[name]: rate.of_inputs([(name, number) not in shared for number in range(len(rate.weights))])
        for name, rate in rates.items()
        if rate is not None and name in layers
    }
    write_recipe(draft, known, remarks)


def _as_in_2014(section: Section, remarks: Remarks) -> Section:
    """A section without the options of 2012 that the later source skips."""
    for option in section.options.values():
        if option.name in _NOT_IN_2014:
            text = f"`{shorten(option.key.text)}` is of 2012; the source of this file, of 2014, does not read it"
            remarks.dropped("option", text, option.key, section.name)
    return replace(section, options={n: o for n, o in section.options.items() if n not in _NOT_IN_2014})


def _rates(
    section: Section,
    definition: Mapping[str, Section],
    params: Mapping[str, Section],
    findings: Findings,
    remarks: Remarks,
) -> LayerRates | None:
    kind, own = type_of(section), params.get(section.name)
    if own is None and (kind in LEARNED or kind.startswith("cost.")):
        near = suggestion(section.name, [name for name in params if name not in definition])
        message = f"the parameter file has no section for `{shorten(section.name)}`, {a(kind)} layer"
        findings.add(
            Diagnostic(
                "NS803",
                message,
                section.place,
                help=said(near) or f"`[{shorten(section.name)}]` there, or name the parameter file of this net",
            )
        )
    if own is None or kind not in LEARNED:
        return None
    inputs = section.options.get("inputs")
    return read_rates(own, len(split_list(inputs.text)) if inputs else 1, findings, remarks)


def _note_old_schedule(params: Mapping[str, Section], remarks: Remarks) -> None:
    section = next(filter(old_schedule, params.values()), None)
    if section is not None:
        text = "`sched` is read as the schedule of weights and biases, which it was when the file was written; later"
        text += " sources of cuda-convnet skip it, so that rates stay constant"
        remarks.meaning("schedule", text, place_of(section, "sched"))


def _check_others(kind: str, section: Section, findings: Findings, remarks: Remarks) -> None:
    """Costs, what is rounded on its way between devices, and options that no source reads."""
    known = (*(_COST if kind.startswith("cost.") else _OPTIONS.get(kind, ())), *_ANY)
    names = {name.lower() for name in known}
    for option in section.options.values():
        if option.name not in names:
            _note_unknown(kind, option, section, known, remarks)
    if kind.startswith("cost."):
        _check_cost(section, findings, remarks)
    for name in _ANY:
        _check_rounding(name, section, findings, remarks)


def _note_unknown(kind: str, option: Option, section: Section, known: tuple[str, ...], remarks: Remarks) -> None:
    if option.name == "dropout" and as_float(option.text) != 0:
        text = "`dropout` is an option of one fork of cuda-convnet; write a layer of type `dropout2` instead"
        remarks.lost("dropout", text, option.key, section.name)
        return
    near = said(suggestion(option.name, known))
    text = f"{a(kind)} layer has no parameter `{shorten(option.key.text)}`; cuda-convnet ignores it too"
    remarks.dropped("option", text + (f" ({near})" if near else ""), option.key, section.name)


def _check_cost(section: Section, findings: Findings, remarks: Remarks) -> None:
    """How much a cost counts, and the k of its top-k errors."""
    coefficient, top = section.options.get("coeff"), section.options.get("topk")
    if coefficient is None:
        message = f"`{shorten(section.name)}` lacks `coeff`, what the cost counts"
        findings.add(Diagnostic("NS803", message, section.place, help="`coeff=1`"))
    elif (value := as_float(coefficient.text)) is None:
        message = f"`{shorten(coefficient.text)}` is no number"
        findings.add(Diagnostic("NS802", message, coefficient.value, help="for instance `coeff=1`"))
    elif value != 1:
        text = f"the cost counts {value:g} times; `train` has one loss, which counts once"
        remarks.dropped("coeff", text, coefficient.value, section.name)
    k = as_int(top.text) if top else 1
    if top and (k is None or k < 1):
        message = f"`{shorten(top.text)}` is no number of classes"
        findings.add(Diagnostic("NS802", message, top.value, help="for instance `topk=5`"))
    elif k not in _REPORTED:
        text = f"errors are of the first {k} classes there, of the first 1 and 5 here"
        remarks.dropped("topk", text, place_of(section, "topk"), section.name)


def _check_rounding(name: str, section: Section, findings: Findings, remarks: Remarks) -> None:
    option = section.options.get(name.lower())
    if option is None:
        return
    value = option.text.strip().lower()
    if value not in ("default", "half"):
        message = f"`{shorten(option.text)}` is no way to send numbers between devices"
        findings.add(Diagnostic("NS802", message, option.value, help="`default` or `half`"))
    elif value == "half":
        what = "outputs" if name == "quantF" else "gradients"
        text = f"{what} are rounded to half precision there when another device needs them; here they are not"
        say = remarks.meaning if name == "quantF" else remarks.dropped
        say("rounding", text, option.value, section.name)
