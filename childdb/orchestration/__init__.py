"""Runs the main job through the scheduler: its configuration, its processes, its interface."""
