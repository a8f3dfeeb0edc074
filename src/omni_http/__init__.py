"""Omni over HTTP."""
