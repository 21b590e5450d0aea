"""ONNX files to specs: those that netspec built, and graphs of the operators that netspec emits. It runs no graph."""
