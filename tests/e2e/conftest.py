"""What tests of whole runs share: a place with a spec and data, one unbroken run, a starter of commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.runs import OFTEN, SPEC, Server, write_data


@pytest.fixture(scope="session")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts `netspec`."""
    made = Server(root, tmp_path_factory.mktemp("said"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny.yaml and its data; tests keep their runs below it."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "tiny.yaml").write_text(SPEC)
    write_data(folder / "data")
    return folder


@pytest.fixture(scope="session")
def unbroken(server: Server, place: Path) -> Path:
    """The folder of a run that nothing disturbed."""
    done = server.run(place, "train", "tiny.yaml", "--data", "data", "--out", "unbroken", *OFTEN)
    assert done.code == 0, done.err
    return place / "unbroken"
