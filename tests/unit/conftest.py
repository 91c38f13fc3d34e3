"""Tests of one module at a time: all of them together take a few seconds."""

from support.databases import add, blobs, database, files, fresh, scratch, session, submit  # noqa: F401
