"""What merged layers are called: by what their members' names have in common. It decides nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, takewhile

from netspec.importers.towers.plan import Plan
from netspec.spec.names import layer_name_problem


@dataclass
class Taken:
    """Names of a net, and those that the generated module gives to the parts of layers on several devices."""

    names: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)

    def take(self, wanted: str, devices: int) -> str:
        """The name, or with a number the first that is free."""
        free = (name for name in _candidates(wanted) if self._is_free(name, devices))
        name = next(free)
        self.names.add(name)
        self.parts.update(_parts(name, devices))
        return name

    def _is_free(self, name: str, devices: int) -> bool:
        return name not in self.names | self.parts and self.names.isdisjoint(_parts(name, devices))


def names_of(plan: Plan) -> tuple[dict[str, str], Taken]:
    """What each source is called, and which names are taken. Layers that were not merged keep theirs."""
    taken, names = Taken(), {}
    merged = {source: own for source, own in plan.merged.items() if len(own.members) > 1}
    for source in dict.fromkeys(view.source for view in plan.views.values()):
        if source not in merged:
            names[source] = taken.take(source, len(plan.net.devices.get(source, ())))
    for source in (name for name in plan.net.spec.layers if name in merged):
        names[source] = taken.take(stem(merged[source].members), len(merged[source].devices))
    return names, taken


def stem(names: tuple[str, ...]) -> str:
    """``conv1`` of ``conv1a`` and ``conv1b``; the first name where they have no name in common."""
    start = _beginning(names)
    end = _beginning(tuple(name[len(start) :][::-1] for name in names))[::-1]
    _, underscore, words = end.partition("_")
    joined = (start.rstrip("_") + underscore + words).strip("_")
    return names[0] if layer_name_problem(joined) else joined


def _beginning(words: tuple[str, ...]) -> str:
    """What all words begin with."""
    return "".join(
        letters[0] for letters in takewhile(lambda letters: len(set(letters)) == 1, zip(*words, strict=False))
    )


def _parts(name: str, devices: int) -> set[str]:
    return {f"{name}_{number}" for number in range(devices)} if devices > 1 else set()


def _candidates(wanted: str) -> Iterator[str]:
    yield wanted
    for number in count(2):
        yield f"{wanted[:60]}_{number}"
