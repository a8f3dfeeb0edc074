"""Usage: one event for each call, kept for ever, and sums over them."""
