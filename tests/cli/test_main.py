"""What all commands share: exit codes, streams, start-up, interruption. Each command has its own file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from netspec import __version__
from netspec_runtime.errors import DataError, EnvironmentProblem
from tests.cli.conftest import Run

HEAVY = ("torch", "onnx", "onnxruntime", "numpy", "jinja2", "PIL", "safetensors")


def test_the_version(netspec: Run) -> None:
    done = netspec("--version")
    assert (done.code, done.out, done.err) == (0, f"netspec {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["build", "-h"], ["validate", "--help"]])
def test_help_goes_to_stdout(arguments: list[str], netspec: Run) -> None:
    done = netspec(*arguments)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Usage: netspec ")


def test_help_and_the_readme_say_the_same_commands_and_exit_codes(netspec: Run, root: Path) -> None:
    said, readme = netspec("--help").out, " ".join((root / "README.md").read_text(encoding="utf-8").split())
    commands = re.findall(r"^  ([a-z]+)  ", said.partition("Commands:\n")[2], re.MULTILINE)
    assert commands == re.findall(r"\| `netspec ([a-z]+)[^|]*` \|", readme)
    codes = " ".join(said[said.index("Exit codes:") :].split())
    assert codes in readme


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Usage: netspec"),
        (["bild"], "No such command 'bild'. Did you mean 'build'?"),
        (["build"], "Missing argument 'SPEC'."),
        (["build", "lenet", "--splt"], "No such option: --splt"),
        (["build", "lenet", "--lrn", "slow"], "'slow' is not one of 'auto', 'native', 'fast'"),
        (["build", "lenet", "--dump-after", "read"], "'read' is not one of 'build', 'infer', 'place'"),
        (["validate"], "Missing argument 'SPEC...'"),
        (["validate", "lenet", "--format", "xml"], "'xml' is not one of"),
    ],
)
def test_wrong_usage_is_exit_2(arguments: list[str], message: str, netspec: Run) -> None:
    done = netspec(*arguments)
    assert done.code == 2
    assert message in done.err + (done.out if not arguments else "")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (EnvironmentProblem("cuda", "is not here", "install it"), 3, "netspec: cuda: is not here; install it\n"),
        (DataError("a\nfile", "is\tbad", "mend it"), 4, "netspec: a\\nfile: is\\tbad; mend it\n"),
        (KeyboardInterrupt(), 130, "netspec: interrupted\n"),
    ],
)
def test_errors_are_one_line(
    error: BaseException, code: int, message: str, netspec: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("netspec.pipeline.compile_file", fail)
    done = netspec("build", "lenet")
    assert (done.code, done.out) == (code, "")
    assert done.err == message


def test_a_bug_says_so(netspec: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("netspec.pipeline.compile_file", fail)
    done = netspec("validate", "lenet")
    assert done.code == 70
    assert "ZeroDivisionError" in done.err
    assert done.err.endswith("this is a bug of netspec; please report it with the text above and your spec\n")


LIST = f"""
import sys
from netspec.cli import main
try:
    main()
except SystemExit as stopped:
    print([name for name in {HEAVY!r} if name in sys.modules], stopped.code, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["-h"], ["build", "-h"], ["validate", "alexnet"], ["validate", "alexnet", "--format", "sarif"]],
)
def test_a_quick_command_loads_no_heavy_library(arguments: list[str], root: Path) -> None:
    command = [sys.executable, "-c", LIST, *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[] 0"


@pytest.mark.parametrize("arguments", [["schema"], ["init", "--list"], ["validate", "alexnet"]])
def test_a_reader_that_has_enough_is_no_error(arguments: list[str], root: Path) -> None:
    """`netspec ... | head -1`: no traceback, whether the pipe breaks at once or when Python flushes at its end."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "netspec", *arguments]
    done = subprocess.run(command, cwd=root, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode in {0, 141}


@pytest.mark.parametrize("module", ["netspec", "netspec.cli"])
def test_it_runs_as_a_module_and_as_a_program(module: str, root: Path) -> None:
    program = [sys.executable, "-c", f"from {module} import __version__; print(__version__)"]
    assert subprocess.run(program, cwd=root, capture_output=True, text=True, check=True).stdout == f"{__version__}\n"
    installed = Path(sys.executable).with_name("netspec")
    for command in ([sys.executable, "-m", "netspec"], *([[str(installed)]] if installed.exists() else [])):
        done = subprocess.run([*command, "--version"], cwd=root, capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == (f"netspec {__version__}\n", "")
