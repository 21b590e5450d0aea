"""A draft of fully connected layers, one for each layer with weights of a definition, with a file's rates. No test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netspec.importers.cuda_convnet.params import LEARNED, apply_rates
from netspec.importers.cuda_convnet.sections import Section, read_sections
from netspec.importers.draft import Draft
from netspec.importers.names import Names
from netspec.importers.remark import Remark, Remarks
from netspec.ir.layer import LearnedLayer
from netspec.source import Source
from netspec.spec import Spec


@dataclass(frozen=True)
class Read:
    """A spec with the rates, and what was said."""

    spec: Spec
    remarks: tuple[Remark, ...]

    def said(self, topic: str) -> list[str]:
        """The remarks of a topic, as `kind line layer: text`."""
        return [f"{r.kind} {r.place.line + 1} {r.layer}: {r.text}" for r in self.remarks if r.topic == topic]

    @property
    def learned(self) -> dict[str, LearnedLayer]:
        """Its layers, which all have weights."""
        return {name: layer for name, layer in self.spec.layers.items() if isinstance(layer, LearnedLayer)}

    def factors(self) -> dict[str, tuple[float, float]]:
        """The factors of the layers' rates that are not both 1."""
        found = {name: (layer.lr_w, layer.lr_b) for name, layer in self.learned.items()}
        return {name: pair for name, pair in found.items() if pair != (1.0, 1.0)}


def read(definition: Source, params: Source) -> Read:
    """What a pair of files comes to. Raises SpecError."""
    remarks = Remarks()
    sections = read_sections(definition)
    draft, layers = draft_of(sections, definition)
    apply_rates(draft, sections, read_sections(params), layers, remarks)
    return Read(draft.spec(), tuple(remarks.items))


def draft_of(sections: Mapping[str, Section], source: Source) -> tuple[Draft, dict[str, str]]:
    """The draft, and its layer for each layer of the definition."""
    learned = [section for section in sections.values() if section.options["type"].text in LEARNED]
    names = Names(Remarks())
    layers = {section.name: names.new(f"{section.name}_here", section.place) for section in learned}
    draft = Draft(source, {"name": "rates", "input": {"size": 2}, "outputs": list(layers.values())})
    for section in learned:
        draft.add(layers[section.name], "fc", section.place, inputs="data", outputs=2)
    return draft, layers
