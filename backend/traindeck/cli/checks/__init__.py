"""Checks of `traindeck doctor`.

Each `check…` function returns one or more `Finding`s. A check writes at most one temporary file, starts no server, and
never imports torch into this process.
"""
