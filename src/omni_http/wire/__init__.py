"""Where what goes over the wire is not what the core speaks."""
