"""The difference of two nets in meaning: what they compute, and how a picture becomes their input."""

from netspec.difference.compare import compare
from netspec.difference.result import Difference, Row, Scope, Side

__all__ = ["Difference", "Row", "Scope", "Side", "compare"]
