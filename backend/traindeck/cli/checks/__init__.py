"""What `traindeck doctor` looks at, one module for each part of a deck.

Each has `check…` functions that give `Finding`s. They open nothing for writing but one file of their own, start no
server, and never import torch into this process.
"""
