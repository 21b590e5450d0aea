"""The PyTorch backend: source text that imports only torch. It never runs it."""

from netspec.backends.torch.module import emit_module

__all__ = ["emit_module"]
