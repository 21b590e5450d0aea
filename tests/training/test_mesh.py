"""Runs of two and four processes over gloo end with the weights, momenta and losses of one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.training.mesh_run import Job, alone, compiled, free_ports
from tests.training.mesh_specs import IMPORTED, LEARNED, ONE_WAY, TWO_TOWERS

SPECS = {"two": TWO_TOWERS, "way": ONE_WAY, "imported": IMPORTED, "learned": LEARNED}
RUNS = {  # name: spec, mesh, number type, whether in bf16 and channels_last, which of the four processes take part
    # float64 comes last: its short messages stay with the processes that have sent any
    "towers": ("two", "tower=2", "float32", False, (0, 1)),
    "data": ("two", "data=2", "float32", False, (2, 3)),
    "trick": ("two", "trick=2", "float32", False, (0, 1)),
    "one-way": ("way", "tower=2", "float32", False, (2, 3)),
    "mixed": ("two", "tower=2", "float32", True, (1, 0)),
    "imported": ("imported", "tower=2", "float32", False, (2, 3)),
    "both": ("two", "data=2,tower=2", "float32", False, (0, 1, 2, 3)),
    "exact": ("two", "", "float64", False, (3, 2, 1, 0)),  # two devices, four processes: 2x2 by itself
    "exact-trick": ("two", "trick=4", "float64", False, (0, 1, 2, 3)),  # neither 10 images nor 10 classes divide
    "learned": ("learned", "tower=2", "float64", False, (0, 1)),
    "learned-trick": ("learned", "trick=2", "float64", False, (0, 3)),
    "imported-trick": ("imported", "trick=2", "float64", False, (1, 2)),
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All runs, done by four processes that take 20 steps of each of theirs."""
    folder = tmp_path_factory.mktemp("mesh")
    ports = free_ports(len(RUNS))
    jobs = []
    for (name, (spec, mesh, dtype, bf16, processes)), port in zip(RUNS.items(), ports, strict=True):
        (folder / name).mkdir()
        (folder / f"{spec}.yaml").write_text(SPECS[spec])
        jobs.append(Job(str(folder / f"{spec}.yaml"), mesh, str(folder / name), processes, port, dtype, bf16))
    (folder / "jobs.json").write_text(json.dumps([asdict(job) for job in jobs]))
    command = [sys.executable, "-m", "tests.training.mesh_run", str(folder / "jobs.json")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [subprocess.Popen([*command, str(n)], env=environment, stderr=subprocess.PIPE) for n in range(4)]
    try:
        errors = [process.communicate(timeout=300)[1].decode() for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0] * 4, "\n".join(errors)
    return folder


@pytest.mark.parametrize("name", RUNS)
def test_many_processes_learn_what_one_learns(runs: Path, name: str) -> None:
    spec, _, dtype, bf16, processes = RUNS[name]
    single = dtype == "float32"
    wanted, test = alone(compiled(SPECS[spec]), dtype, bf16)
    found = load_file(runs / name / "final.safetensors")
    assert found.keys() == wanted.keys()
    assert float(wanted["loss"]) > 10, "nothing was computed"
    loss = (found.pop("loss") - wanted.pop("loss")).abs().item()
    worst = max((found[key] - value).abs().max().item() for key, value in wanted.items())
    assert worst <= (1e-6 if single else 1e-14)
    assert loss <= (2e-5 if single else 1e-12)  # the sum of 20 losses of about 2.3
    for rank in range(len(processes)):
        seen: dict[str, Any] = json.loads((runs / name / f"seen{rank}.json").read_text())
        assert seen["said"] == "runs/n\u00e4me"
        assert seen["test"] == pytest.approx(test, rel=1e-5 if single else 1e-12)


def test_the_runs_differ_where_they_must(runs: Path) -> None:
    """One process's dropout and two others' are the same, but a net that learns differently is seen."""
    found = load_file(runs / "towers" / "final.safetensors")
    before, _ = alone(compiled(TWO_TOWERS), steps=19)
    assert found.keys() == before.keys()
    assert min((found[key] - value).abs().max().item() for key, value in before.items()) > 1e-5
