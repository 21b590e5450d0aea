"""`netspec prepare --download`: raw data from the network, with a progress bar. It is no command of its own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class DataSet(StrEnum):
    """A public data set that can be fetched."""

    CIFAR10 = "cifar10"
    FASHION_MNIST = "fashion-mnist"


def download_for(out: Path, name: DataSet, mirror: str | None) -> Path:
    """The raw data set, in a folder beside ``out``: `<out>-download/<name>`. Raises DataError, EnvironmentProblem."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from netspec_runtime.data.download import download

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    place = out.absolute()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def show(file: str, here: int, total: int | None) -> None:
            bar.update(task, description=file, completed=here, total=total)

        return download(name.value, place.with_name(f"{place.name}-download"), show, mirror=mirror)
