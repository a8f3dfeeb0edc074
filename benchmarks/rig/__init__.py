"""What the benchmarks stand on: processes with a known core, a load, a floor to compare with."""
