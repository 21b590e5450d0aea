"""Caffe files: nets as text or with weights, solvers and means, of every version of Caffe. It needs no Caffe."""
