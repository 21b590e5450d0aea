"""Starts `netspec` again and again without its imports: `server.py`, asked on stdin, answers on stdout. No test itself.

Each command is a process of its own, forked from one that has imported all but onnxruntime, whose threads would be
missing, and computed nothing. A request is a
line of JSON: `{"run": [argument...], "folder": DIR, "said": FILE}` is answered with the process's number,
`{"wait": NUMBER}` with its exit code, below 0 for a signal, and `{"poll": NUMBER}` with that or null.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from typing import Any

import matplotlib.backends.backend_svg
import rich.progress
import torch._dynamo

import netspec.backends.onnx.model
import netspec.build
import netspec.cli
import netspec.processes
import netspec.runs
import netspec.train
import netspec_runtime.data.prepare
import netspec_runtime.data.shapes
import netspec_runtime.training.loop
import netspec_runtime.training.progress
import netspec_runtime.training.reporter
import netspec_runtime.training.tensorboard

_IMPORTED = (netspec, netspec_runtime, matplotlib, rich, torch)


def main() -> None:
    """Until stdin ends; then whoever still runs is killed."""
    running: set[int] = set()
    answer: int | None
    for line in sys.stdin:
        request = json.loads(line)
        if "run" in request:
            answer = _start(request)
            running.add(answer)
        else:
            number = request.get("wait") or request["poll"]
            answer = _code(number, os.WNOHANG if "poll" in request else 0)
            if answer is not None:
                running.discard(number)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    for number in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, 9)


def _start(request: dict[str, Any]) -> int:
    number = os.fork()
    if number:
        return number
    os.chdir(request["folder"])
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{request['said']}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    if request["limit"]:
        sys.dont_write_bytecode = True  # Python would leave .pyc files cut off at the limit
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"],) * 2)
    sys.argv = ["netspec", *request["run"]]
    netspec.cli.main()
    os._exit(0)


def _code(number: int, options: int) -> int | None:
    done, status = os.waitpid(number, options)
    return os.waitstatus_to_exitcode(status) if done else None


if __name__ == "__main__":
    main()
