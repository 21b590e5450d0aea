"""Towers written as separate layers, merged: one layer with `groups` on several devices. It imports no file format."""

from netspec.importers.towers.merge import merge_towers
from netspec.importers.towers.tensors import merged_tensors

__all__ = ["merge_towers", "merged_tensors"]
