"""Errors of nets on a data set, as tables and as JSON: nets, their average, confusions, classes. It counts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from netspec.diagnostics.text import printable
from netspec.report.table import aligned

if TYPE_CHECKING:
    from netspec_runtime.training.score import ClassScores, Confusion, Scores

_TOP5 = "top-5 error"
_HEAD = ("", "backend", "runs on", "views", "top-1 error", _TOP5, "loss", "images/s")
_FEW = 5  # classes
_LONGEST_CLASS = 40


@dataclass(frozen=True)
class Result:
    """What a net, or an average, achieved. Without a rate its answers came from a file."""

    name: str
    scores: Scores
    backend: str = ""
    where: str = ""
    views: int | None = None
    weight: float = 1.0
    images_per_second: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """All that a command found out. ``results`` are the nets; ``confusions`` and ``classes`` are of the average."""

    data: str
    digest: str
    split: str
    names: tuple[str, ...]
    results: tuple[Result, ...]
    average: Result | None
    confusions: tuple[Confusion, ...]
    classes: tuple[ClassScores, ...]

    @property
    def best(self) -> Result:
        """What counts: the average, or the only net."""
        return self.average or self.results[0]

    def name(self, index: int) -> str:
        """Of a class."""
        name = self.names[index] if self.names else f"class {index}"
        return printable(name)[:_LONGEST_CLASS]


def render_scores(found: Evaluation) -> str:
    """Aligned tables; lines end with a newline."""
    count = found.best.scores.count
    pictures = f"{count:,} labelled picture{'s' * (count != 1)}"
    head = f"{printable(found.data)}: split {found.split}, {pictures}, {len(found.names)} classes"
    blocks = [[head], _results(found), _confusions(found), _classes(found)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def scores_document(found: Evaluation) -> dict[str, object]:
    """What `--json` prints. Errors are fractions; a loss that is no number is null."""
    return {
        "data": {"path": found.data, "sha256": found.digest, "split": found.split, "classes": list(found.names)},
        "results": [_entry(result) for result in found.results],
        "average": _entry(found.average) if found.average else None,
        "confusions": [asdict(one) | _names(found, one) for one in found.confusions],
        "classes": [{"name": found.name(one.index), **asdict(one)} for one in found.classes],
    }


def _results(found: Evaluation) -> list[str]:
    several = found.average is not None
    results = [*found.results, *([found.average] if found.average else [])]
    head = (*_HEAD, "weight") if several else _HEAD
    rows = [(*_row(result), *([f"{result.weight:.3g}"] if several else [])) for result in results]
    return _aligned(found, [head, *rows], first=3)


def _row(result: Result) -> tuple[str, ...]:
    scores = result.scores
    return (
        printable(result.name),
        result.backend,
        result.where.removesuffix("ExecutionProvider"),
        str(result.views or ""),
        f"{scores.top1_error:.2%}",
        f"{scores.top5_error:.2%}",
        f"{scores.loss:.4f}",
        f"{result.images_per_second:,.0f}" if result.images_per_second else "",
    )


def _confusions(found: Evaluation) -> list[str]:
    if not found.confusions:
        return []
    rows = [
        (found.name(one.true), "taken for", found.name(one.predicted), f"{one.count:,}") for one in found.confusions
    ]
    return ["most confused:", *_indented(aligned(rows, right=[3]))]


def _classes(found: Evaluation) -> list[str]:
    if not found.classes:
        return []
    head = ("class", "pictures", "top-1 error", _TOP5, "times predicted")
    return _aligned(found, [head, *(_class_row(found, one) for one in found.classes)], first=1)


def _aligned(found: Evaluation, rows: Sequence[Sequence[str]], first: int) -> list[str]:
    """Numbers from column ``first`` on; without the top-5 errors of so few classes that they are always 0."""
    if 0 < len(found.names) <= _FEW:
        column = rows[0].index(_TOP5)
        rows = [(*row[:column], *row[column + 1 :]) for row in rows]
    return aligned(rows, right=range(first, len(rows[0])))


def _class_row(found: Evaluation, one: ClassScores) -> Sequence[str]:
    errors = (f"{one.top1_error:.2%}", f"{one.top5_error:.2%}")
    return (found.name(one.index), f"{one.count:,}", *errors, f"{one.predicted:,}")


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _names(found: Evaluation, one: Confusion) -> dict[str, str]:
    return {"true_name": found.name(one.true), "predicted_name": found.name(one.predicted)}


def _entry(result: Result) -> dict[str, object]:
    scores = asdict(result.scores)
    scores["loss"] = scores["loss"] if scores["loss"] == scores["loss"] else None
    rest = asdict(result)
    del rest["scores"]
    return rest | scores
