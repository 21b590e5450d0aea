"""What `netspec prepare` says of the data that it made, and what to do with them now. It prepares nothing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netspec.fit import ONE_CLASS, OWN_FOLDERS, class_settings
from netspec_runtime.class_names import classes_called, first_names
from netspec_runtime.data.manifest import TEST, TRAIN, UNLABELLED_NAMES
from netspec_runtime.errors import printable

if TYPE_CHECKING:
    from netspec.pipeline import Compiled
    from netspec_runtime.data.prepare import Report

_SHOWN: Final = 5  # files of a list


@dataclass(frozen=True)
class Net:
    """The net that the data are for: what was typed, and what that is."""

    name: str
    assignments: tuple[str, ...]
    compiled: Compiled

    @property
    def settings(self) -> str:
        """The assignments, as they are typed."""
        return "".join(f" --set {shlex.quote(assignment)}" for assignment in self.assignments)


def as_json_text(report: Report) -> str:
    """One document."""
    contents, origin = report.manifest.contents, report.manifest.origin
    document = {
        "path": str(report.path),
        "kind": origin.kind,
        "digest": contents.digest,
        "size": contents.size,
        "channels": contents.channels,
        "classes": contents.classes,
        "counts": contents.counts,
        "unlabelled": sum(report.unlabelled.values()),
        "absent": report.absent,
        "mean_color": contents.statistics.mean_color,
        "eigenvalues": contents.statistics.eigenvalues,
        "eigenvectors": contents.statistics.eigenvectors,
        "quarantined": [dict(zip(("name", "reason"), line.split("\t", 1), strict=True)) for line in report.bad],
        "notes": origin.notes,
        "reused": report.reused,
    }
    return json.dumps(document, indent=2)


def as_text(report: Report, net: Net | None) -> str:
    """Lines for people, the last of which says what to do now."""
    contents, origin = report.manifest.contents, report.manifest.origin
    height, width = contents.size
    colours = "grey" if contents.channels == 1 else "RGB"
    counts = ", ".join(f"{split} {count:,}" for split, count in contents.counts.items())
    verb = "is there already" if report.reused else "prepared"
    lines = [f"{report.path}: {verb}: {origin.kind}", f"  pictures    {counts}, {height} x {width} {colours}"]
    lines += [f"  classes     {_classes(contents.classes)}"]
    lines += _unlabelled(report)
    lines += _statistics(report)
    lines += [f"  note        {printable(note)}" for note in origin.notes]
    if report.bad:
        lines.append(f"  bad files   {len(report.bad):,}, left out and listed in {report.path / 'quarantine.txt'}")
        lines += [f"              {line.replace(chr(9), ': ')}" for line in report.bad[:_SHOWN]]
        if len(report.bad) > _SHOWN:
            lines.append("              ...")
    return "\n".join(lines + _next(report, net))


def _unlabelled(report: Report) -> list[str]:
    """How many, and the first ones where others have labels."""
    count = sum(report.unlabelled.values())
    listed = report.path / UNLABELLED_NAMES
    if not count or not listed.is_file():
        return [f"  unlabelled  {count:,}"] if count else []
    names = listed.read_text(encoding="utf-8").splitlines()
    shown = [f"              {name}" for name in names[:_SHOWN]]
    return [f"  unlabelled  {count:,}, listed in {listed}", *shown, *["              ..."] * (len(names) > _SHOWN)]


def _next(report: Report, net: Net | None) -> list[str]:
    """What to do now, and why it is not training where that is so."""
    contents, path = report.manifest.contents, report.path
    if not contents.classes or report.unlabelled.get(TRAIN):
        return [f"  warning     `netspec train` refuses pictures without labels: {OWN_FOLDERS}"]
    if TRAIN not in contents.counts:
        return [f"next: netspec eval MODEL --data {path}"]
    return [*_remarks(report), *_training(report, net)]


def _remarks(report: Report) -> Iterator[str]:
    """What training on these data would not be."""
    contents = report.manifest.contents
    if len(contents.classes) == 1:
        yield f"  warning     one class alone teaches nothing: {ONE_CLASS}"
    if report.absent and not _noted(report.absent, report.manifest.origin.notes):
        yield f"  note        {no_picture_of(report.absent)}"
    if TEST not in contents.counts:
        yield "  note        no test pictures: `netspec train` goes by training errors; --holdout 0.1 sets some aside"


def _training(report: Report, net: Net | None) -> list[str]:
    """Which nets can learn from the data, and the command."""
    contents, path = report.manifest.contents, report.path
    if net is None:
        height, width = contents.size
        resized = f", as `data.resize: {height}` says" if height == width else ""
        size = (
            f"  note        for nets of pictures of {height} x {width}{resized}; for others, prepare with --spec SPEC"
        )
        return [size, f"next: netspec train SPEC --data {path}"]
    count, settings = len(contents.classes), net.settings
    if net.compiled.classes == count:
        return [f"next: netspec train {net.name} --data {path}{settings}"]
    here = f"and here {'is' if count == 1 else 'are'} {count:,}"
    warning = f"  warning     {net.name} tells {net.compiled.classes:,} classes apart, {here}"
    added = "".join(f" --set {setting}" for setting in class_settings(net.compiled, count))
    return [warning, *[f"next: netspec train {net.name} --data {path}{settings}{added}"] * bool(added)]


def _noted(absent: tuple[str, ...], notes: tuple[str, ...]) -> bool:
    """Whether a note says of the same classes that they have no picture at all, or none but for tests."""
    return any(note.startswith(f"{classes_called(absent)} with") for note in notes)


def no_picture_of(absent: tuple[str, ...]) -> str:
    """That some classes cannot be learned."""
    return f"{classes_called(tuple(map(printable, absent)))} without a training picture"


def _classes(classes: tuple[str, ...]) -> str:
    if not classes:
        return "none: the pictures have no labels"
    return f"{len(classes):,} ({first_names(tuple(map(printable, classes)))})"


def _statistics(report: Report) -> list[str]:
    """Mean colour and principal colours of the training pictures, the largest last as in the file."""
    figures = report.manifest.contents.statistics
    lines = [f"  mean color  {', '.join(f'{value:.2f}' for value in figures.mean_color)}"]
    for number, value in enumerate(figures.eigenvalues):
        vector = ", ".join(f"{row[number]:.3f}" for row in figures.eigenvectors)
        lines.append(f"  {'principal' if number == 0 else '':<10}  std {value**0.5:.2f}: ({vector})")
    return lines
