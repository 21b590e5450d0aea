"""Everything that people see is the same bytes in every run, whatever Python hashes strings to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import hashlib, json
from pathlib import Path
from netspec.pipeline import compile_file
from netspec.report.dot import render_dot
from netspec.report.html import render_report_html
from netspec.report.explain_layer import explain_layer
from netspec.report.language import language_markdown
from netspec.report.mermaid import render_mermaid
from netspec.report.table import render_table, table_as_json
from netspec.schema import schema_document
from tests.report.nets import random_net

print(hashlib.sha256((language_markdown() + json.dumps(schema_document())).encode()).hexdigest())
for net in (compile_file(Path("specs/alexnet.yaml")), *map(random_net, range(12))):
    texts = [render_report_html(net), render_mermaid(net.placed), render_dot(net.placed), render_table(net, True)]
    texts += [json.dumps(table_as_json(net)), *(explain_layer(net, node.name) for node in net.typed.nodes)]
    print(hashlib.sha256("".join(texts).encode()).hexdigest())
"""


def test_two_runs_give_the_same_bytes(root: Path) -> None:
    runs = [_run(root, seed) for seed in ("1", "2")]
    assert len(runs[0].split()) == 14
    assert runs[0] == runs[1]


def _run(root: Path, seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", SCRIPT]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout
