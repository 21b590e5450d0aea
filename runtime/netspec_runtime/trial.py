"""One session on the probe model: where onnxruntime really runs on this machine. It judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]

from netspec_runtime.cuda import Obstacle
from netspec_runtime.device import Device
from netspec_runtime.probe import FACTOR, INPUT, OUTPUT, probe_model
from netspec_runtime.session import open_session


@dataclass(frozen=True)
class Trial:
    """What came of it. ``compiled``: what onnxruntime says it has. ``problem``: why the run failed, if it did."""

    compiled: tuple[str, ...]
    provider: str
    obstacle: Obstacle | None
    problem: str


def try_onnxruntime() -> Trial:
    """Open a session, on CUDA where the driver shows a device, and run it once."""
    compiled = tuple(onnxruntime.get_available_providers())
    try:
        opened = open_session(probe_model(), Path.cwd(), Device.AUTO, prepack=True)
        answer = opened.session.run([OUTPUT], {INPUT: np.ones((1, 1, 1, 1), np.float32)})[0]
    except Exception as error:  # noqa: BLE001 - whatever goes wrong here is the finding
        return Trial(compiled, "", None, str(error).partition("\n")[0])
    problem = "" if answer.item() == FACTOR else f"it answers {answer.item()} instead of {FACTOR}"
    return Trial(compiled, opened.provider, opened.obstacle, problem)
