"""Put the built-in specs into the wheel as `netspec/specs`; not a place for other build steps.

A static `force-include` would do the same to an editable install: a folder `netspec/specs` in site-packages, which
Python then takes for a namespace package and finds before the editable one. So the mapping is for real wheels only;
an editable install reads `<repo>/specs`.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class IncludeSpecs(BuildHookInterface[Any]):
    """The wheel's build hook; hatchling finds it by its base class."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the mapping to `build_data`; `version` is hatchling's word for "standard" or "editable"."""
        if version == "standard":
            build_data["force_include"]["specs"] = "netspec/specs"
