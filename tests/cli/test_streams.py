"""Commands whose standard streams were closed by whoever started them: they work, and end with the usual codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Says, once it has ended, what is open under the numbers of the three streams, here and in a process that it starts.
SAY = """
import json, os, subprocess, sys
from netspec.cli import main

def streams():
    return [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]

if sys.argv[1] == "--child":
    open(sys.argv[2], "w").write(json.dumps(streams()))
    sys.exit()
place = sys.argv.pop(1)
try:
    main()
except SystemExit as stopped:
    subprocess.run([sys.executable, __file__, "--child", place + ".child"], check=True)
    open(place, "w").write(json.dumps([stopped.code, streams()]))
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["summary", "lenet"], 0), (["validate", "lenet"], 0), (["infer", "--onnx", "none.onnx", "a.jpg"], 4)],
)
@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1), (0, 1, 2)])
def test_a_closed_stream_is_the_null_device(
    arguments: list[str], code: int, closed: tuple[int, ...], tmp_path: Path
) -> None:
    script, said = tmp_path / "say.py", tmp_path / "said"
    script.write_text(SAY)
    closing = " ".join(f"{number}>&-" for number in closed)
    command = ("sh", "-c", f'"$@" {closing}', "sh", sys.executable, str(script), str(said), *arguments)
    subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    ended, streams = json.loads(said.read_text())
    assert ended == code
    child = json.loads((tmp_path / "said.child").read_text())
    assert [streams[number] for number in closed] == [child[number] for number in closed] == [os.devnull] * len(closed)


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "<&- 1>&- 2>&-"])
def test_training_with_a_closed_stream(closed: str, place: Path) -> None:
    command = f'"$0" -m netspec train small.yaml --data pictures --out run {closed}'
    done = subprocess.run(("sh", "-c", command, sys.executable), cwd=place, capture_output=True, text=True, check=True)
    assert (place / "run" / "model.onnx").is_file()
    assert "Traceback" not in done.stderr
