"""Tests of the domain: a real database, and neither web nor processes."""

from support.databases import add, blobs, database, files, fresh, scratch, session, submit  # noqa: F401
