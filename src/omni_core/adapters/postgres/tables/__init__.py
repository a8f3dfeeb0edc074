"""The tables, one module for each context. Migrations make them; a test compares the two."""
