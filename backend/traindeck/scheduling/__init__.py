"""Starts runs, watches them, stops them, and finds them again after a restart."""
