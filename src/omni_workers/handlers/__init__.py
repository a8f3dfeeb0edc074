"""What workers do, one module for each context."""
