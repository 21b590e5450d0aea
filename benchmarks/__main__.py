"""`make bench`: all benchmarks, one after the other."""

import benchmarks.input
import benchmarks.prepare
from benchmarks import cifar, import_caffemodel, inference, optimizer, processes, training_step

inference.main()
processes.main()
benchmarks.input.main()
benchmarks.prepare.main()
optimizer.main()
training_step.main()
cifar.main()
import_caffemodel.main()
