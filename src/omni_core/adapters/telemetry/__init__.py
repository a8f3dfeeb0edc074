"""What Omni tells of itself: logs and metrics."""
