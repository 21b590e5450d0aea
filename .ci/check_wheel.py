#!/usr/bin/env python3
"""Build the wheel and use it as a stranger would; not a test of what the compiler computes.

The wheel is built from the sdist, its contents are compared with the repository, it is installed with the constraints
into a new environment, and AlexNet is built from the installed package in an empty folder. Usage: check_wheel.py DIST
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "netspec": "netspec",
    "netspec_runtime": "runtime/netspec_runtime",
    "netspec_templates": "templates/netspec_templates",
}
BUILT = ("alexnet.onnx", "alexnet.py", "parity.json")


def main() -> int:
    """Run every check; the first that fails ends the program with a sentence and exit code 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dist", type=Path, help="folder for the sdist and the wheel; older ones in it are removed")
    dist = parser.parse_args().dist
    wheel = build(dist)
    check_contents(wheel)
    with tempfile.TemporaryDirectory(prefix="netspec-wheel-") as folder:
        python = install(wheel, Path(folder) / "venv")
        check_installed(python)
        build_alexnet(python, Path(folder) / "empty")
    print(f"{wheel.name}: contents, installation and AlexNet are right")
    return 0


def build(dist: Path) -> Path:
    """The wheel, built from the sdist as registries expect it, with the hatchling that the constraints pin."""
    for old in [*dist.glob("netspec-*.whl"), *dist.glob("netspec-*.tar.gz")]:
        old.unlink()
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), str(ROOT))
    (wheel,) = dist.glob("netspec-*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """Every source file, template and spec of the repository is in the wheel, and no other top-level name is."""
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expect("top-level names", {name.partition("/")[0] for name in inside}, set(PACKAGES))
    sources = {**PACKAGES, "netspec/specs": "specs"}
    shipped = {f"{name}/{path}" for name, folder in sources.items() for path in files_below(ROOT / folder)}
    expect("files in the wheel", inside, shipped)


def files_below(folder: Path) -> list[str]:
    """Paths relative to `folder`, without what Python leaves behind."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [path.relative_to(folder).as_posix() for path in found]


def install(wheel: Path, environment: Path) -> Path:
    """The Python of a new environment that holds the wheel and what it depends on, nothing else."""
    print(f"installing {wheel.name} into a new environment", flush=True)
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    constraints = str(ROOT / "constraints.txt")
    pip = (str(python), "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--constraint", constraints, str(wheel))
    run(*pip, "check")
    return python


def check_installed(python: Path) -> None:
    """The three names come from site-packages, and the distribution's version is the package's."""
    script = (
        "import importlib.metadata as m, netspec, netspec_runtime, netspec_templates\n"
        "d = m.distribution('netspec')\n"
        "tops = {f.parts[0] for f in d.files if f.parts[0] != '..' and not f.parts[0].endswith('.dist-info')}\n"
        "print(' '.join(sorted(tops)))\n"
        "print(d.version == netspec.__version__)\n"
        "print(all('site-packages' in p.__file__ for p in (netspec, netspec_runtime, netspec_templates)))\n"
    )
    said = run(str(python), "-I", "-c", script).splitlines()
    expect("installed names, one version, site-packages", said, [" ".join(sorted(PACKAGES)), "True", "True"])


def build_alexnet(python: Path, folder: Path) -> None:
    """`netspec build alexnet` in an empty folder: the shipped spec, the proof, the files."""
    folder.mkdir()
    print("netspec build alexnet, from the wheel, in an empty folder", flush=True)
    run(str(python.with_name("netspec")), "build", "alexnet", cwd=folder)
    missing = [name for name in BUILT if not (folder / "build" / "alexnet" / name).is_file()]
    expect("files missing from build/alexnet", missing, [])
    expect("what `build` wrote beside build/", [path.name for path in folder.iterdir()], ["build"])


def run(*command: str, cwd: Path | None = None) -> str:
    """Its stdout; a failure ends the program with all that it printed. No variable of ours reaches it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NETSPEC_", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}{done.stderr}\n{' '.join(command)}\nended with {done.returncode}")
    return done.stdout


def expect(what: str, found: object, wanted: object) -> None:
    """End the program unless both are equal; of two sets, say what is missing and what is too much."""
    if found == wanted:
        return
    if isinstance(found, set) and isinstance(wanted, set):
        sys.exit(f"{what}: missing {sorted(wanted - found)}, unexpected {sorted(found - wanted)}")
    sys.exit(f"{what}: found {found}, expected {wanted}")


if __name__ == "__main__":
    sys.exit(main())
