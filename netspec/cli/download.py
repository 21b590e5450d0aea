"""`netspec prepare --download`: raw data from the network, and how far it is. It is no command of its own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from netspec.cli.heartbeat import Heartbeat


class DataSet(StrEnum):
    """A public data set that can be fetched."""

    CIFAR10 = "cifar10"
    FASHION_MNIST = "fashion-mnist"


def download_for(out: Path, name: DataSet, mirror: str | None) -> Path:
    """The raw data set, in a folder beside ``out``: `<out>-download/<name>`. Raises DataError, EnvironmentProblem."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from netspec_runtime.data.download import download

    console, heart = Console(stderr=True), Heartbeat()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    place = out.absolute()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def show(file: str, here: int, total: int | None) -> None:
            bar.update(task, description=file, completed=here, total=total)
            if not console.is_terminal:
                heart.beat(here, total, lambda: f"{file}: {here:,}" + (f" of {total:,}" if total else "") + " bytes")

        return download(name.value, place.with_name(f"{place.name}-download"), show, mirror=mirror)
