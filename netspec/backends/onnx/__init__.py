"""The ONNX backend: straight from the placed graph, with onnx's own helpers. The only code that imports onnx."""
