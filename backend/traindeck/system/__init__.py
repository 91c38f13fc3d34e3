"""What several layers of the server ask of the operating system: whole files, open files, ports.

The runner has its own reads, copies and identities of processes, as it works alone in other people's environments.
"""
