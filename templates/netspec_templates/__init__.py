"""Templates and definitions that generated files are made of. No rules inside: finished strings only."""
