"""The business of Omni, in pure Python: the standard library and msgspec, nothing else."""
