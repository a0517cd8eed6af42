"""Keys, the lookup index and read-back: the only code that sees a number in clear after matching."""
