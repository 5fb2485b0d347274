"""The only sockets, subprocesses and sleeping of the client. Internal."""
