"""`make bench`: all benchmarks, one after the other."""

from benchmarks import inference, processes

inference.main()
processes.main()
