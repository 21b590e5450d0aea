"""The names of devices on the command line. It loads no library and asks no driver."""

from __future__ import annotations

from enum import StrEnum


class Device(StrEnum):
    """Where to run. AUTO is CUDA if it works, else the CPU; CUDA is that or an error."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
