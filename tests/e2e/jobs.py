"""A run in this process, put together as `netspec train` does it, for tests that reach into it. No test itself."""

from __future__ import annotations

from pathlib import Path

import torch

from netspec.pipeline import compile_file
from netspec.processes import NetOptions, open_net
from netspec.train import initial_weights, make_job, require_fit
from netspec_runtime.data.open import open_prepared
from netspec_runtime.training.job import Job, Options
from netspec_runtime.training.loop import Trainer
from netspec_runtime.training.run import RunFolder


def trainer(
    spec: Path, data: Path, folder: Path, devices: tuple[str, ...] = ("cpu",), changes: tuple[str, ...] = ()
) -> tuple[Trainer, Job]:
    """Ready to `start`, with checkpoints every three steps."""
    compiled = compile_file(spec, changes)
    net, world, _ = open_net(compiled, NetOptions(",".join(devices), None, channels_last=True))
    prepared = open_prepared(data)
    require_fit(compiled, prepared)
    folder.mkdir(exist_ok=True)
    options = Options(workers=0, channels_last=True, save_every=3, log_every=4)
    job = make_job(compiled, prepared, net, world, RunFolder(folder, compiled.spec.name), options)
    return Trainer(job), job


def initial(spec: Path, changes: tuple[str, ...] = ()) -> dict[str, torch.Tensor]:
    """The spec's first weights."""
    arrays, _ = initial_weights(compile_file(spec, changes), None)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
