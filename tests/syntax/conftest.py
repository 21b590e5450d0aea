"""Both of PyYAML's parsers: a machine without libyaml must read the same. No test data."""

from __future__ import annotations

import pytest
import yaml

from netspec.syntax import reader


@pytest.fixture(params=["libyaml", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Reads with this parser; skips where libyaml is missing."""
    name = str(request.param)
    if name == "libyaml" and not yaml.__with_libyaml__:
        pytest.skip("PyYAML has no libyaml on this machine")
    monkeypatch.setattr(reader, "_Loader", yaml.CSafeLoader if name == "libyaml" else yaml.SafeLoader)
    return name
