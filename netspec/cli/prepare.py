"""`netspec prepare`: pictures as people have them become data to train on. It reads flags, shows progress, prints."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from netspec.cli.arguments import SetOption, a_number, refuse_idle
from netspec.cli.download import DataSet, download_for
from netspec.cli.heartbeat import Heartbeat
from netspec_runtime.terminal import complain

if TYPE_CHECKING:  # numpy: `netspec --help` must not load it
    from netspec.pipeline import Compiled

_MOST: Final = 16384  # pixels of a side
Progress = Callable[[int, int, int], None]


def prepare(
    context: typer.Context,
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SRC...", help="A folder of pictures, tars, CIFAR or idx files, or a .csv of path,label."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="The prepared folder: new, empty or stopped.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Prepare nothing: verify every byte of a prepared folder.")
    ] = None,
    download: Annotated[
        DataSet | None, typer.Option(help="Instead of SRC: fetch this public data set into DIR-download.")
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(metavar="URL", help="Fetch its files from this folder, not from its authors.")
    ] = None,
    spec: Annotated[str | None, typer.Option(metavar="SPEC", help="Take size and colours from this spec.")] = None,
    assignments: SetOption = None,
    size: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=_MOST, help="Scale the shorter side to N, cut the square.")
    ] = None,
    stretch: Annotated[str | None, typer.Option(metavar="HxW", help="Scale to this height and width instead.")] = None,
    grey: Annotated[bool, typer.Option("--grey", help="One grey channel.")] = False,
    holdout: Annotated[
        float,
        typer.Option(
            metavar="F",
            min=0,
            max=0.9,
            callback=a_number,
            help="Without a test split: the fraction that becomes it.",
        ),
    ] = 0.0,
    workers: Annotated[int | None, typer.Option(metavar="N", min=1, max=256, help="Threads; one a core.")] = None,
    max_bad: Annotated[
        float | None,
        typer.Option(
            metavar="F", min=0, max=1, callback=a_number, help="The largest fraction of bad files; 0.01, or ten."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace other prepared data in DIR.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Turn pictures into data that `netspec train` and `eval` read at full speed.

    Photos become 256 x 256 unless --spec, --size or --stretch says otherwise; arrays (CIFAR, MNIST) keep their size.
    Files that are no pictures are listed in DIR/quarantine.txt. Stopped by whatever means, the same command goes on
    where it was. Exit code 4 if the data or the disk will not do.
    """
    from netspec.cli.prepare_report import Net, as_json_text, as_text
    from netspec.train import prepare_options
    from netspec_runtime.data.prepare import Options
    from netspec_runtime.data.prepare import prepare as prepare_data

    if check is not None:
        if sources or out or download:
            raise typer.BadParameter("give either --check or what to prepare")
        refuse_idle(context, "with --check", but=("check", "as_json"))
        _check(check, as_json=as_json)
        return
    if out is None:
        raise typer.BadParameter("give the folder to prepare into, with --out DIR")
    if bool(sources) == (download is not None):
        raise typer.BadParameter("give either SRC or --download")
    if sum(option is not None for option in (spec, size, stretch)) > 1:
        raise typer.BadParameter("give one of --spec, --size and --stretch")
    if spec is None:
        refuse_idle(context, "without --spec", ("assignments",))
    if download is None:
        refuse_idle(context, "without --download", ("mirror",))
    sides = None if stretch is None else _pair(stretch)
    options = Options(size, sides, grey or None, holdout, workers=workers, max_bad=max_bad, replace=force)
    net = None
    if spec is not None:
        net = Net(spec, tuple(assignments or ()), _compiled(spec, assignments or []))
        told = prepare_options(net.compiled, None)
        options = replace(options, side=told.side, stretch=told.stretch, grey=grey or told.grey)
    paths = [download_for(out, download, mirror)] if download else sources or []
    with preparing() as progress:
        report = prepare_data(paths, out, options, progress)
    typer.echo(as_json_text(report) if as_json else as_text(report, net))


def _pair(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    sides = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
    if not all(1 <= side <= _MOST for side in sides):
        raise typer.BadParameter(f"--stretch is height x width, as in 32x32, and not {text!r}")
    return sides


def _compiled(spec: str, assignments: list[str]) -> Compiled:
    """Raises SpecError."""
    from netspec.pipeline import compile_file
    from netspec.spec.shipped import find_spec

    return compile_file(find_spec(spec), assignments, name=spec)


@contextmanager
def preparing() -> Iterator[Progress]:
    """A bar on a terminal, a line a minute elsewhere. After Ctrl-C, what is done and how to go on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[bad]} bad, left"), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task("", total=None, bad=0)
    last, heart = (0, 0), Heartbeat()

    def show(done: int, total: int, bad: int) -> None:
        nonlocal last
        last = (done, total)
        bar.update(task, completed=done, total=total, bad=bad)
        if not console.is_terminal:
            heart.beat(done, total, lambda: f"{done:,} of {total:,} pictures, {bad:,} bad")

    try:
        with bar:
            yield show
    except (KeyboardInterrupt, SystemExit):
        if last[1]:
            complain(f"{last[0]:,} of {last[1]:,} pictures are prepared; the same command goes on from there")
        raise


def _check(folder: Path, *, as_json: bool) -> None:
    """Read all of a prepared folder, and say that it is whole. Raises DataError where it is not."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    from netspec_runtime.data.check import check_prepared

    console, heart = Console(stderr=True), Heartbeat()
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if not console.is_terminal:
                heart.beat(done, total, lambda: f"{done:,} of {total:,} bytes read")

        data = check_prepared(folder, show)
    counts = {split: len(found) for split, found in data.splits.items()}
    if as_json:
        typer.echo(json.dumps({"path": str(folder), "digest": data.digest, "counts": counts}, indent=2))
    else:
        pictures = ", ".join(f"{split} {count:,}" for split, count in counts.items())
        typer.echo(f"{folder}: whole: {pictures}; sha256 {data.digest}")
