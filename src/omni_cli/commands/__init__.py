"""The commands: one file for each context, under its name, and one for each thing that an operator starts or stops."""
