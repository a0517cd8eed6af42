"""The main job as steps: each can be repeated, replaces its own output and returns counts, never data."""
