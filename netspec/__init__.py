"""netspec compiles a YAML layer file to a proven PyTorch module and an ONNX graph.

This file is only the package's name and version: importing it costs nothing.
"""

__version__ = "0.1.0"
