"""The command line: one file a command, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Final

import typer

from netspec import __version__
from netspec.cli.build import build
from netspec.cli.diff import diff
from netspec.cli.doctor import doctor
from netspec.cli.ending import Ending
from netspec.cli.eval import evaluate
from netspec.cli.experiment import experiment
from netspec.cli.explain import explain
from netspec.cli.graph import graph
from netspec.cli.import_net import import_net
from netspec.cli.infer import infer
from netspec.cli.init import init
from netspec.cli.prepare import prepare
from netspec.cli.schema import schema
from netspec.cli.summary import summary
from netspec.cli.train import train
from netspec.cli.validate import validate
from netspec.diagnostics import SpecError
from netspec.diagnostics.text import render
from netspec_runtime.errors import OneLineError
from netspec_runtime.streams import open_missing
from netspec_runtime.terminal import clean_exit

INTERNAL_ERROR = 70
_EXIT_CODES: Final = (
    "Exit codes: 0 fine, 1 the spec, the ledger or the proof fails, 2 usage, 3 environment (device, provider, library),"
    " 4 data (image, weights, disk), 5 training diverged, 70 a bug, 129 hung up, 130 interrupted, 141 a closed pipe,"
    " 143 terminated."
)


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command, ending as all do: one line and the exit code of what went wrong, also for the output itself."""

    @functools.wraps(command)
    def run(*arguments: object, **options: object) -> None:
        with clean_exit():
            command(*arguments, **options)

    return run


app = typer.Typer(
    name="netspec",
    help="Compile a layer file to a trainable PyTorch module and an ONNX graph, and prove that they agree.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: Final[dict[str, Callable[..., None]]] = {  # in the order in which `--help` and README.md have them
    "build": build,
    "validate": validate,
    "train": train,
    "eval": evaluate,
    "prepare": prepare,
    "experiment": experiment,
    "infer": infer,
    "summary": summary,
    "import": import_net,
    "diff": diff,
    "graph": graph,
    "explain": explain,
    "init": init,
    "schema": schema,
    "doctor": doctor,
}
for name, command in _COMMANDS.items():
    app.command(name)(_guarded(command))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"netspec {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of netspec itself."""


def main() -> None:
    """The entry point. Its exit codes are those of `--help`."""
    open_missing()
    ending = Ending()
    try:
        app(prog_name="netspec")
    except SpecError as error:
        sys.stderr.write(render(error.diagnostics))
        sys.exit(SpecError.exit_code)
    except OneLineError as error:
        sys.stderr.write(f"netspec: {error}\n")
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001 - the last resort: say that it is a bug, with all that helps to mend it
        ending.exit_if_asked()
        traceback.print_exc()
        sys.stderr.write("netspec: this is a bug of netspec; please report it with the text above and your spec\n")
        sys.exit(INTERNAL_ERROR)
