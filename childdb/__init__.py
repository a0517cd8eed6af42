"""childdb: cleans, matches and counts the children of Viet Nam's child-information software."""

__version__ = "0.1.0"
