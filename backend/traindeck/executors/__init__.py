"""Executors: what turns orders into processes somewhere, and says what became of them."""
