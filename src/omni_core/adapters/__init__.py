"""Everything that touches the world: one folder for each technology or family of vendors."""
