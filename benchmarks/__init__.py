"""Load and comparison with other servers: `python -m benchmarks`, see docs/benchmarks.md."""
