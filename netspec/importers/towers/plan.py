"""Which layers of a net are mirrored towers, and where each layer's output is once they are merged. It writes no spec.

Level by level from the input: 1. layers of one level that are alike, each on a device of its own, are one layer; where
several on a device are alike, what reads them tells which belong together, and then their names; 2. a concat of towers
is nothing any more; 3. a layer that reads whole merged layers reads each once; 4. any other layer stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from itertools import chain

from netspec.diagnostics.grammar import listed
from netspec.importers.towers.members import Merged, Merger
from netspec.importers.towers.net import Written
from netspec.importers.towers.reads import Learned, UnlikeTowersError, View


@dataclass(frozen=True)
class Plan:
    """``merged`` are by their first members; ``views`` say where every layer's output is, and the input.

    ``unlike`` are layers on several devices that looked like towers, and why they are none.
    """

    net: Written
    merged: Mapping[str, Merged]
    views: Mapping[str, View]
    unlike: tuple[tuple[tuple[str, ...], str], ...]

    @property
    def has_towers(self) -> bool:
        return any(len(merged.members) > 1 for merged in self.merged.values())

    @property
    def left_out(self) -> tuple[str, ...]:
        """The concats of towers, which have nothing to do any more."""
        kept = {name for merged in self.merged.values() for name in merged.members} | {self.net.input}
        return tuple(name for name, view in self.views.items() if name != view.source and name not in kept)

    def channels(self, source: str) -> int:
        """How many channels a source has."""
        members = len(self.merged[source].members) if source in self.merged else 1
        return members * self.net.channels(source)


def plan_towers(net: Written) -> Plan:
    """What becomes of each layer. In a net on one device there is nothing to find."""
    return _Planner(net).run() if len(set(net.devices.values())) > 1 else Plan(net, {}, {}, ())


@dataclass
class _Planner:
    net: Written
    merged: dict[str, Merged] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    unlike: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.merger = Merger(self.net, self.views, self.channels)

    def run(self) -> Plan:
        self._keep(self.net.input)
        for level in self.net.levels:
            rest = [name for name in level if not self._leave_out(name)]
            for members in self._towers(rest):
                self._merge(members)
            self._note_unlike([name for name in rest if name not in self.views])
            for name in rest:
                if name not in self.views and not self._merge_alone(name):
                    self._keep(name)
        return Plan(self.net, self.merged, self.views, tuple(self.unlike))

    def _towers(self, level: Iterable[str]) -> Iterable[tuple[str, ...]]:
        """Layers that are alike, one from each of several devices."""
        alike: dict[tuple[object, ...], dict[int, list[str]]] = {}
        for name in level:
            if len(self.net.devices[name]) == 1 and name not in self.net.sharing:
                on_device = alike.setdefault(self.merger.likeness(name), {})
                on_device.setdefault(self.net.devices[name][0], []).append(name)
        for on_device in alike.values():
            if len(on_device) > 1 and len({len(names) for names in on_device.values()}) == 1:
                columns = (sorted(on_device[device], key=self._tie) for device in sorted(on_device))
                yield from zip(*columns, strict=True)

    def _tie(self, name: str) -> tuple[int, str]:
        return self.net.below[name], name

    def _merge(self, members: tuple[str, ...]) -> None:
        try:
            merged = self.merger.merge(members)
        except UnlikeTowersError as reason:
            self.unlike.append((members, str(reason)))
            return
        first, each = members[0], self.net.channels(members[0])
        self.merged[first] = merged
        self.channels[first] = each * len(members)
        for number, name in enumerate(members):
            self.views[name] = View(first, tuple(range(number * each, (number + 1) * each)))

    def _is_towers(self, view: View) -> bool:
        return view.source in self.merged and len(self.merged[view.source].members) > 1

    def _leave_out(self, name: str) -> bool:
        """A concat of towers is the merged layer, or some of its channels."""
        layer, inputs = self.net.nodes[name].layer, self.merger.inputs(name)
        one = len({view.source for view in inputs}) == 1 and self._is_towers(inputs[0])
        if layer.type != "concat" or layer.neuron is not None or not one:
            return False
        self.views[name] = View(inputs[0].source, tuple(chain.from_iterable(view.channels for view in inputs)))
        return True

    def _merge_alone(self, name: str) -> bool:
        """A layer that reads all towers reads the merged layer, once."""
        learned = isinstance(self.net.nodes[name].layer, Learned) and name not in self.net.sharing
        if not learned or not any(map(self._is_towers, self.merger.inputs(name))):
            return False
        before = len(self.unlike)
        self._merge((name,))
        del self.unlike[before:]  # it may well read some towers only
        return name in self.views

    def _keep(self, name: str) -> None:
        self.channels[name] = self.net.channels(name)
        self.views[name] = View(name, tuple(range(self.channels[name])))

    def _note_unlike(self, names: list[str]) -> None:
        """Layers of one type on several devices that read the same sources, and were not alike."""
        known = {name for members, _ in self.unlike for name in members}
        near: dict[tuple[object, ...], list[str]] = defaultdict(list)
        for name in names:
            if name not in known and len(self.net.devices[name]) == 1:
                sources = frozenset(view.source for view in self.merger.inputs(name))
                near[self.net.nodes[name].layer.type, sources].append(name)
        for members in near.values():
            if len({self.net.devices[name] for name in members}) > 1:
                self.unlike.append((tuple(members), self._difference(members)))

    def _difference(self, members: list[str]) -> str:
        layers = [self.net.nodes[name].layer for name in members]
        shared = [name for name in members if name in self.net.sharing]
        if shared:
            return f"`{shared[0]}` shares weights"
        keys = (key.name for key in fields(layers[0]) if key.name not in ("inputs", "gpu"))
        differ = [f"`{key}`" for key in keys if len({getattr(layer, key) for layer in layers}) > 1]
        return (
            f"{listed(differ)} {'differs' if len(differ) == 1 else 'differ'}"
            if differ
            else "devices have more or less of them"
        )
