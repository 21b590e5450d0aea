"""The ONNX backend: straight from the placed graph. The only code of the compiler that imports onnx."""
