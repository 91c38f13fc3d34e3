"""What runs on the side of the child: forkserver, shim, and the start of the user's code. Nothing of the server's."""
