"""The packaging says one thing everywhere: names, version, pins, commands. The built wheel: .ci/check_wheel.py."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import netspec

PACKAGES = {"netspec", "runtime/netspec_runtime", "templates/netspec_templates"}


@pytest.fixture(scope="module")
def pyproject(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pins(root: Path) -> dict[str, str]:
    """The version of each distribution in constraints.txt."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in pinned}


def test_the_wheel_holds_three_packages_and_no_generic_name(pyproject: dict[str, Any], root: Path) -> None:
    wheel = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["packages"]) == PACKAGES
    assert wheel["dev-mode-exact"] is True
    assert [p for p in PACKAGES if not (root / p / "__init__.py").is_file()] == []


def test_static_force_include_would_shadow_the_editable_install(pyproject: dict[str, Any]) -> None:
    assert "force-include" not in pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]


def test_the_package_tested_is_this_repository(root: Path) -> None:
    assert Path(netspec.__file__) == root / "netspec" / "__init__.py"


def test_the_version_is_written_once_and_the_changelog_knows_it(pyproject: dict[str, Any], root: Path) -> None:
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["hatch"]["version"]["path"] == "netspec/__init__.py"
    headings = re.findall(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == netspec.__version__


def test_every_dependency_is_pinned_inside_its_range(pyproject: dict[str, Any], pins: dict[str, str]) -> None:
    project = pyproject["project"]
    needed = [Requirement(r) for r in project["dependencies"] + project["optional-dependencies"]["dev"]]
    assert [r.name for r in needed if canonicalize_name(r.name) not in pins] == []
    assert [str(r) for r in needed if pins[canonicalize_name(r.name)] not in r.specifier] == []


def test_torch_is_pinned_without_a_local_tag(pins: dict[str, str]) -> None:
    assert pins["torch"] == "2.13.0"


def test_the_readme_names_the_two_commands_and_make_has_them(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for command in ("demo", "test"):
        assert f"make {command}" in readme
        assert command in targets
