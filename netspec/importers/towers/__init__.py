"""Towers written as separate layers, merged: one layer with `groups` on several devices. It imports no file format."""

from netspec.importers.towers.merge import has_towers, merge_towers
from netspec.importers.towers.tensors import merged_tensors

__all__ = ["has_towers", "merge_towers", "merged_tensors"]
