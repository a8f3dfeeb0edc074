"""Omni's command line."""
