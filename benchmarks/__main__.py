"""`make bench`: all benchmarks, one after the other."""

import benchmarks.input
import benchmarks.prepare
from benchmarks import inference, optimizer, processes

inference.main()
processes.main()
benchmarks.input.main()
benchmarks.prepare.main()
optimizer.main()
