"""The front door: what comes in on a connection is measured and timed before anything is done with it."""
