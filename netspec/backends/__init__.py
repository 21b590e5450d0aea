"""Backends: a placed graph to PyTorch source and to ONNX."""
