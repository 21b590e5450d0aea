"""Whole processes: build, validate, help, and infer against a plain onnxruntime script; wall time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.in_turn import in_turn, show

NETSPEC = [sys.executable, "-m", "netspec"]
_PLAIN = """
import sys, numpy as np, onnxruntime
from PIL import Image
image = Image.open(sys.argv[2]).convert("RGB")
scale = 256 / min(image.size)
image = image.resize((round(image.width * scale), round(image.height * scale)), Image.BILINEAR)
left, top = (image.width - 224) // 2, (image.height - 224) // 2
pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) - np.float32([127.3, 119.72, 104.91])
session = onnxruntime.InferenceSession(sys.argv[1])
answer = session.run(None, {session.get_inputs()[0].name: pixels.transpose(2, 0, 1)[None]})[0][0]
print(answer.argsort()[-5:])
"""
_EXPORT = "import sys, torch; from benchmarks.plain_alexnet import *; export(sys.argv[1], PlainAlexNet().state_dict())"


def main() -> None:
    """Print wall times, ratios and peak memory."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        exported, picture = str(folder / "exported.onnx"), str(folder / "picture.jpg")
        out = ["--out", str(folder / "alexnet")]
        python = [sys.executable, "-c"]
        builds = {
            "torch.onnx.export": _process([*python, _EXPORT, exported]),
            "netspec build": _process([*NETSPEC, "build", "alexnet", *out]),
            "netspec build --no-check": _process([*NETSPEC, "build", "alexnet", "--no-check", *out]),
        }
        show("build AlexNet, whole process", in_turn(builds, 3))
        _draw(picture)
        model = str(folder / "alexnet" / "alexnet.onnx")
        infers = {
            "plain onnxruntime, exported graph": _process([*python, _PLAIN, exported, picture]),
            "plain onnxruntime, our file": _process([*python, _PLAIN, model, picture]),
            "netspec infer": _process([*NETSPEC, "infer", "--onnx", model, picture]),
        }
        show("infer one photo, whole process", in_turn(infers, 9))
        starts = {
            "python -c pass": _process([*python, "pass"]),
            "netspec --help": _process([*NETSPEC, "--help"]),
            "netspec validate alexnet": _process([*NETSPEC, "validate", "alexnet"]),
        }
        show("start-up, whole process", in_turn(starts, 9))
        for name, run in {**builds, "netspec infer": infers["netspec infer"]}.items():
            print(f"  peak memory of {name}: {run() or 0} MiB")


def _draw(path: str) -> None:
    """A photo-like picture: smooth noise, 500 x 375."""
    import numpy as np
    from PIL import Image

    coarse = np.random.default_rng(0).integers(0, 256, (38, 50, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=90)


def _process(command: list[str]) -> Callable[[], int]:
    """Run it silently; returns its peak memory in MiB."""

    def run() -> int:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, command)
        return usage.ru_maxrss // 1024

    return run


if __name__ == "__main__":
    main()
