"""`make bench`: all benchmarks, one after the other."""

import benchmarks.input
from benchmarks import inference, optimizer, processes

inference.main()
processes.main()
benchmarks.input.main()
optimizer.main()
