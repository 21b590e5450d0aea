"""The spec: a layer file as typed dataclasses, with reading, overriding and writing it."""

from netspec.spec.load import load_spec, load_text
from netspec.spec.model import DataSpec, InputSpec, RateSpec, Spec, TrainSpec

__all__ = ["DataSpec", "InputSpec", "RateSpec", "Spec", "TrainSpec", "load_spec", "load_text"]
