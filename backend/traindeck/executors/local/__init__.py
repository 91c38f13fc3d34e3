"""The executor of this machine: forkserver, cold starts, and shims that outlive the server."""
