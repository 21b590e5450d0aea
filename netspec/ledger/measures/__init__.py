"""The measures that a ledger's rows may name. Importing this package registers them all."""

from netspec.ledger.measure import MEASURES
from netspec.ledger.measures import counts, recipe, settings, shapes, wiring

__all__ = ["MEASURES", "counts", "recipe", "settings", "shapes", "wiring"]
