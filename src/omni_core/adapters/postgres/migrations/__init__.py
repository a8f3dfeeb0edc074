"""The schema's history. A release expands what the one before it needs; the next one contracts."""
