"""YAML text to a spanned tree, and a spanned tree to dataclasses. It knows nothing of nets."""
