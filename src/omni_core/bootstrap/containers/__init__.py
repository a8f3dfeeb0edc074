"""The wiring: a file for each context, and `root` that joins them. Nothing outside this folder knows of it."""
