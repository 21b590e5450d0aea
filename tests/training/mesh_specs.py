"""Small nets of AlexNet's shape for runs of several processes. It runs nothing."""

TWO_TOWERS = """
netspec: 1
name: small
input: {channels: 3, size: 33}
classes: 10
layers:
  conv1:  {type: conv, inputs: data, filters: 16, size: 5, stride: 2, round: ceil, gpu: [0, 1], neuron: relu}
  rnorm1: {type: rnorm, inputs: conv1, size: 5, k: 2, alpha: 1e-4, alpha_over: sum, beta: 0.75, groups: 2}
  pool1:  {type: pool, inputs: rnorm1, pool: max, size: 3, stride: 2}
  conv2:  {type: conv, inputs: pool1, filters: 16, size: 3, pad: 1, groups: 2, neuron: relu, init_b: 1}
  rnorm2: {type: rnorm, inputs: conv2, size: 5, k: 2, alpha: 1e-4, alpha_over: sum, beta: 0.75, groups: 2}
  conv3:  {type: conv, inputs: rnorm2, filters: 16, size: 3, pad: 1, neuron: relu}
  conv4:  {type: conv, inputs: conv3, filters: 16, size: 3, pad: 1, groups: 2, neuron: relu, init_b: 1}
  pool5:  {type: pool, inputs: conv4, pool: max, size: 3, stride: 2}
  fc6:    {type: fc, inputs: pool5, outputs: 32, neuron: relu, init_b: 1}
  drop6:  {type: dropout, inputs: fc6, rate: 0.5}
  fc7:    {type: fc, inputs: drop6, outputs: 32, neuron: relu, init_b: 1}
  drop7:  {type: dropout, inputs: fc7, rate: 0.5}
  fc8:    {type: fc, inputs: drop7, outputs: 10, gpu: 0}
  probs:  {type: softmax, inputs: fc8}
"""

# Values go one way only, to several readers at once; the first layer does not learn, and the softmax is elsewhere.
ONE_WAY = """
netspec: 1
name: one-way
input: {channels: 3, size: 12}
classes: 6
layers:
  conv1: {type: conv, inputs: data, filters: 6, size: 3, gpu: 1, neuron: relu, lr_w: 0, lr_b: 0}
  conv2: {type: conv, inputs: conv1, filters: 4, size: 3, gpu: 0, neuron: tanh}
  conv3: {type: conv, inputs: conv1, filters: 6, size: 3, gpu: 1, neuron: tanh}
  norm3: {type: batchnorm, inputs: conv3}
  pool4: {type: pool, inputs: conv1, pool: avg, size: 3, stride: 2, gpu: 0}
  fc5:   {type: fc, inputs: [conv2, norm3, pool4], outputs: 6, gpu: 0}
  probs: {type: softmax, inputs: fc5, gpu: 1}
"""

# What imported nets need, split: each tower reads pieces of what the other has.
IMPORTED = """
netspec: 1
name: imported
input: {channels: 3, size: 12}
classes: 6
layers:
  yuv1:  {type: rgb2yuv, inputs: data, gpu: 1}
  conv1: {type: conv, inputs: yuv1, filters: 8, size: 3, gpu: [0, 1], neuron: "leaky[0.1]"}
  low:   {type: slice, inputs: conv1, channels: 6, neuron: "elu[0.7]"}
  high:  {type: slice, inputs: conv1, start: 2, channels: 6, neuron: softplus}
  gate:  {type: eltprod, inputs: [low, high], neuron: "clip[-1, 1]"}
  most:  {type: cmpool, inputs: conv1, size: 3, stride: 2, start: -1, neuron: "power[2, 0.5, 0.1]"}
  row:   {type: flatten, inputs: most}
  maps:  {type: reshape, inputs: gate, shape: [10, -1, 6]}
  fc2:   {type: fc, inputs: [row, maps], outputs: 12, neuron: softplus}
  front: {type: slice, inputs: fc2, start: 2, channels: 8}
  fc3:   {type: fc, inputs: front, outputs: 6, gpu: 0}
  probs: {type: softmax, inputs: fc3}
"""

# Layers that learn in other ways than convolutions and fully-connected ones, split; `prelu2` has one slope for all.
LEARNED = """
netspec: 1
name: learned
input: {channels: 3, size: 12}
classes: 6
layers:
  conv1: {type: conv, inputs: data, filters: 8, size: 3, stride: 2, gpu: [0, 1]}
  prelu1: {type: prelu, inputs: conv1}
  norm1: {type: rnorm, inputs: prelu1, size: 3, blocked: true, alpha: 0.1}
  conv2: {type: conv, inputs: norm1, filters: 8, size: 3, pad: 1, groups: 2, connections: [7, 0, 3, 2, 5, 4, 1, 6]}
  prelu2: {type: prelu, inputs: conv2, shared: true, gpu: 1}
  up2: {type: deconv, inputs: prelu2, filters: 8, size: 4, stride: 2, pad: 1, groups: 2, gpu: [1, 0], init_w: bilinear}
  scale2: {type: affine, inputs: up2, lr_b: 0.5, neuron: relu}
  fc3: {type: fc, inputs: [scale2, conv2], outputs: 12, groups: 2}
  prelu3: {type: prelu, inputs: fc3, init_a: 0.1}
  fc4: {type: fc, inputs: prelu3, outputs: 12, groups: 4}
  scale4: {type: affine, inputs: fc4, bias: false}
  fc5: {type: fc, inputs: scale4, outputs: 6, gpu: 0}
  probs: {type: softmax, inputs: fc5}
"""
