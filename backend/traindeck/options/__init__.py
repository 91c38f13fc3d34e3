"""The options that a script declares: as a schema for a form, as parameters of a run, and as its arguments."""
