"""Benchmarks. Each module runs by ``python -m benchmarks.<name>`` and prints its table."""
