"""Traindeck: a web dashboard to launch and monitor PyTorch training runs."""

__version__ = "0.1.0"
