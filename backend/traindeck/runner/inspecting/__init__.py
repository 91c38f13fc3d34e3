"""Reads the options that a script declares, in a process of its own that ends where the script's parser would parse."""
