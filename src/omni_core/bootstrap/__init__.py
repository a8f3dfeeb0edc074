"""Puts Omni together: settings, wiring, and what has to be opened and closed."""
