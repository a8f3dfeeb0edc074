"""The endpoints, a module for each context: parse, one call, return."""
