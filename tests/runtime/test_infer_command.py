"""`netspec infer` as a user meets it: streams, exit codes, pipes. The numbers are tested in test_infer.py."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from PIL import Image

from netspec_runtime.session import CPU
from tests.runtime.models import LABELS, SmallNet, described

COMMAND = (sys.executable, "-c", "from netspec.cli import main; main()", "infer")


@dataclass(frozen=True)
class Ran:
    """What came out."""

    code: int
    out: str
    lines: list[str]


def run(arguments: Sequence[str | Path], given: bytes = b"", **environment: str) -> Ran:
    done = subprocess.run(
        [*COMMAND, *(os.fspath(argument) for argument in arguments)],
        input=given,
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode().splitlines())


def test_text(model_path: Path, picture_path: Path) -> None:
    ran = run(["--onnx", model_path, "--top-k", "2", picture_path])
    path, *rows = ran.out.splitlines()
    assert (ran.code, path, [row.split()[0] for row in rows]) == (0, str(picture_path), ["1", "2"])
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(ran.lines) == 1
    assert ran.lines[0].startswith(f"netspec: {CPU}; 1 of 1 pictures, views of each: 1; model ")


def test_json_with_errors_among_the_answers(model_path: Path, picture_path: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    missing = tmp_path / "missing.png"
    ran = run(["--onnx", model_path, "--json", "--views", "10", missing, picture_path, tmp_path / "text.jpg"])
    document = json.loads(ran.out)
    assert ran.code == 4
    assert (document["model"], document["provider"]) == (str(model_path), CPU)
    (result,) = document["results"]
    assert result["path"] == str(picture_path)
    assert [set(prediction) for prediction in result["predictions"]] == [{"label", "index", "probability"}] * 5
    assert {prediction["label"] for prediction in result["predictions"]} == set(LABELS)
    assert document["errors"] == [
        {"path": str(missing), "reason": "No such file or directory"},
        {"path": str(tmp_path / "text.jpg"), "reason": "no picture in any format that is read here"},
    ]
    assert ran.lines[0] == f"netspec: {missing}: No such file or directory; check the path"
    assert len(ran.lines) == 3


def test_standard_input_and_folders(model_path: Path, picture_path: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = run(["--onnx", model_path, "-", picture_path.parent, tmp_path / "empty"], picture_path.read_bytes())
    assert ran.code == 4
    assert [line for line in ran.out.splitlines() if not line.startswith(" ")] == ["-", str(picture_path)]
    assert ran.lines[0].startswith(f"netspec: {tmp_path / 'empty'}: no pictures in this folder; ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--onnx", "none.onnx", "a.png"], 4),
        (["--onnx", "none.onnx"], 2),
        (["a.png"], 2),
        (["--onnx", "none.onnx", "--views", "5", "a.png"], 2),
        (["--onnx", "none.onnx", "--device", "tpu", "a.png"], 2),
        (["--onnx", "none.onnx", "--top-k", "0", "a.png"], 2),
        (["--onnx", "none.onnx", "--batch", "0", "a.png"], 2),
    ],
)
def test_wrong_arguments(arguments: list[str], code: int) -> None:
    ran = run(arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.lines


def test_a_foreign_model_is_one_line(tmp_path: Path, picture_path: Path) -> None:
    (tmp_path / "foreign.onnx").write_bytes(SmallNet(metadata={}).plain_bytes())
    ran = run(["--onnx", tmp_path / "foreign.onnx", picture_path])
    assert (ran.code, ran.out, len(ran.lines)) == (4, "", 1)
    assert "records no preprocessing" in ran.lines[0]
    assert "netspec build" in ran.lines[0]


def test_cuda_without_cuda(model_path: Path, picture_path: Path) -> None:
    # An empty list hides every device, so that this holds on machines with one too.
    ran = run(["--onnx", model_path, "--device", "cuda", picture_path], CUDA_VISIBLE_DEVICES="")
    assert (ran.code, ran.out, len(ran.lines)) == (3, "", 1)
    assert ran.lines[0].startswith("netspec: --device cuda: ")


def test_any_label_and_any_path_on_any_terminal(tmp_path: Path) -> None:
    labels = ("größe", "\x1b[31mred", "two\nlines", "鮫", "plain")
    model = SmallNet(metadata=described({}, labels)).write(tmp_path / "a.onnx")
    picture = tmp_path / os.fsdecode(b"\xff\n.png")
    Image.new("RGB", (9, 9)).save(picture)
    ran = run(["--onnx", model, picture], PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 6
    assert "\x1b" not in ran.out
    assert json.loads(run(["--onnx", model, "--json", picture]).out)["results"][0]["path"] == str(picture)


def many(picture_path: Path, count: int) -> list[str]:
    return [str(picture_path)] * count


def streams(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout, process.stderr


def test_a_reader_that_stops(model_path: Path, picture_path: Path) -> None:
    arguments = [*COMMAND, "--onnx", str(model_path), *many(picture_path, 3000)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = streams(process)
        out.readline()
        out.close()
        assert (err.read(), process.wait()) == (b"", 141)


def test_a_full_disk(model_path: Path, picture_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("wb") as full:
        arguments = [*COMMAND, "--onnx", str(model_path), *many(picture_path, 5)]
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 4
    assert done.stderr.decode().splitlines()[-1].startswith("netspec: standard output: No space left on device; ")


def test_ctrl_c(model_path: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((500, 500, 3), np.uint8)).save(tmp_path / "a.jpg")
    arguments = [*COMMAND, "--onnx", str(model_path), "--views", "10", *many(tmp_path / "a.jpg", 5000)]
    eager = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=eager) as process:
        out, err = streams(process)
        out.readline()
        process.send_signal(signal.SIGINT)
        out.read()
        assert (err.read(), process.wait()) == (b"netspec: interrupted\n", 130)


def test_what_it_imports(model_path: Path, picture_path: Path) -> None:
    script = (
        "import sys; from netspec.cli.infer import infer; from netspec_runtime.device import Device; "
        f"infer([{str(picture_path)!r}], {str(model_path)!r}); "
        "print([m for m in ('torch', 'onnx', 'rich', 'jinja2', 'netspec.ir', 'netspec.spec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-1] == "[]"
