"""A small net as cuda-convnet's files say it, and a spec for weights. No tests here."""

LAYERS = """# a comment
[data]
type=data
dataIdx=0

[labels]
type=data
dataIdx=1

[conv1]
type=conv
inputs=data
channels=3
filters=8
padding=1
filterSize=3
initW=0.01
partialSum=1
neuron=relu
gpu=0

[rnorm1]
type=cmrnorm
inputs=conv1
channels=8
size=3

[fc10]
type=fc
inputs=rnorm1
outputs=10
initW=0.1

[probs]
type=softmax
inputs=fc10

[logprob]
type=cost.logreg
inputs=labels,probs
gpu=0
"""
RATES = "epsW=0.001\nepsB=0.002\nmomW=0.9\nmomB=0.9\nwc=0.004\n"
PARAMS = f"[conv1]\n{RATES}\n[fc10]\n{RATES}\n[rnorm1]\nscale=0.001\npow=0.75\n\n[logprob]\ncoeff=1\n"
SPEC = """netspec: 1
name: small
input: {size: 4}
layers:
  fc1: {type: fc, inputs: data, outputs: 3}
"""
