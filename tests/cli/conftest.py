"""The command line as a user meets it, but in this process: arguments in; exit code, stdout and stderr out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from netspec.cli import main
from tests.cli.foreign import LAYERS, PARAMS, SPEC
from tests.cli.runs import CLASSES, RECIPE, draw_pictures
from tests.cli.runs import SPEC as NET


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def netspec(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `netspec` with arguments."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["netspec", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        code = stopped.value.code
        out, err = capsys.readouterr()
        return Done(code if isinstance(code, int) else int(code is not None), out, err)

    return run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small.yaml and raw pictures."""
    monkeypatch.chdir(tmp_path)
    draw_pictures(tmp_path / "pictures")
    text = NET.format(name="small", crop=16, channels="rgb", views=1, labels=", ".join(CLASSES)) + RECIPE
    (tmp_path / "small.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A small net as cuda-convnet's two files."""
    layers, params = tmp_path / "layers.cfg", tmp_path / "layer-params.cfg"
    layers.write_text(LAYERS)
    params.write_text(PARAMS)
    return layers, params


@pytest.fixture
def weighted(tmp_path: Path) -> tuple[Path, Path]:
    """A spec, and weights for it in a file."""
    spec, weights = tmp_path / "small.yaml", tmp_path / "given.safetensors"
    spec.write_text(SPEC)
    arrays = {"fc1.weight": np.ones((3, 48), np.float32), "fc1.bias": np.zeros(3, np.float32)}
    save_file(arrays, weights)
    return spec, weights
