"""Administrative units through time: what a text or code meant on a day, and what it means now."""
