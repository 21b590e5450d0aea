"""The proof: the generated PyTorch module, its split form and the ONNX file give the same numbers, layer by layer."""
