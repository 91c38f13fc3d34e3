"""How looking for a data set ends when it does not end well."""


class SourceFailed(Exception):
    """One place that a data set could come from did not give it; the message says why."""


class FetchStopped(Exception):
    """The run was asked to stop while it waited for a data set."""


class DatasetUnavailable(Exception):
    """A data set is not on disk and cannot be fetched; the message names the folder to put which files in."""
