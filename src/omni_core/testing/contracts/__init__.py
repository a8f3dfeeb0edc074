"""The behaviour that every adapter of a port shares, as pytest classes to subclass."""
