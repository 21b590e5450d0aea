"""From files of pictures to a model in one command, whatever stops it on the way; and bare `netspec train`."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netspec_runtime.data.shapes import CLASSES as SHAPES
from netspec_runtime.data.shapes import draw_picture
from tests.e2e.runs import CLASSES, OFTEN, Server, outcome

pytestmark = pytest.mark.slow
COMMAND = ("train", "tiny.yaml", "--data", "pictures", "--out", "run", "--resume", "auto", *OFTEN)


@pytest.fixture
def raw(place: Path, tmp_path: Path) -> Path:
    """A folder with a spec and, in `pictures`, twelve PNG files a class."""
    lots = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(12):
            pixels = lots.integers(0, 255, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
    (tmp_path / "tiny.yaml").write_text((place / "tiny.yaml").read_text())
    return tmp_path


def test_kills_from_the_first_moment_on(server: Server, raw: Path) -> None:
    """While pictures are prepared, while the folder is made, in the first steps; each file of the end is there."""
    done = server.run(raw, *COMMAND[:4], "--out", "unbroken", *OFTEN)
    assert done.code == 0, done.err
    subprocess.run(["rm", "-r", raw / "data"], check=True)
    lots = random.Random(0)
    for _ in range(5):
        running = server.start(raw, *COMMAND)
        time.sleep(lots.uniform(0, 0.4))
        running.kill()
    done = server.run(raw, *COMMAND)
    assert done.code == 0, done.err
    assert outcome(raw / "run") == outcome(raw / "unbroken")


def test_the_real_program_killed_and_resumed(place: Path, unbroken: Path) -> None:
    """As users start it, in a new interpreter: killed in its imports or soon after, then let go to its end."""
    command = [sys.executable, "-m", "netspec", "train", "tiny.yaml", "--data", "data", "--out", "real", *OFTEN]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([*command, "--resume", "auto"], cwd=place, env=environment) as process:
        time.sleep(1)
        process.kill()
    done = subprocess.run([*command, "--resume", "auto"], cwd=place, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert outcome(place / "real") == outcome(unbroken)


def train_shapes(root: Path, folder: Path, *flags: str) -> tuple[float, float]:
    """Bare `netspec train`; the error in its last test, and that of its model on fresh pictures, by `infer`."""
    command = [sys.executable, "-m", "netspec"]
    done = subprocess.run([*command, "train", *flags], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    draw(root, folder / "fresh", 5)
    infer = [*command, "infer", "--onnx", "runs/shapes/model.onnx", "--json", "fresh"]
    said = json.loads(subprocess.run(infer, cwd=folder, capture_output=True, text=True, check=True).stdout)
    answers = {Path(one["path"]).stem: one["predictions"][0]["label"] for one in said["results"]}
    assert len(answers) == 5 * len(SHAPES)
    wrong = [stem for stem, label in answers.items() if stem.partition("-")[0] != label]
    lines = (folder / "runs" / "shapes" / "metrics.jsonl").read_text().splitlines()
    errors = [json.loads(line)["test_top1_error"] for line in lines if '"kind": "epoch"' in line]
    return errors[-1], len(wrong) / len(answers)


def draw(root: Path, folder: Path, each: int) -> None:
    """`disc-0.png` and so on: the first of each class by the program that the documentation names."""
    folder.mkdir()
    for label, name in enumerate(SHAPES):
        for seed in range(each):
            Image.fromarray(draw_picture(label, seed)).save(folder / f"{name}-{seed}.png")
    again = folder / "again.png"
    program = [sys.executable, str(root / "docs" / "draw_shape.py"), SHAPES[3], "1", str(again)]
    subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
    assert again.read_bytes() == (folder / f"{SHAPES[3]}-1.png").read_bytes()
    again.unlink()


def test_bare_train_learns_in_an_epoch(root: Path, tmp_path: Path) -> None:
    tested, fresh = train_shapes(root, tmp_path, "--set", "train.epochs=1")
    assert tested < 0.5  # .9 is chance
    assert abs(fresh - tested) < 0.25


@pytest.mark.soak
def test_bare_train_names_fresh_pictures(root: Path, tmp_path: Path) -> None:
    tested, fresh = train_shapes(root, tmp_path)
    assert tested <= 0.05
    assert fresh <= 0.1
