"""The synthetic nation with its truth, and the stand-in of the entry software. Every child here is invented."""
