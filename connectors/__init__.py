"""Source systems: one module each, all yielding typed pages or files; the registry of datasets beside them."""
