"""A diagnostic code with its explanation. The tables beside this file hold all of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """``title`` is what is wrong in a few words, ``why`` what it means and why it is refused, ``mend`` the way out."""

    name: str
    title: str
    why: str
    mend: str
