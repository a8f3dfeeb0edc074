"""Everything in one process's memory: for tests, and for embedders who want no database. Gone when it ends."""
