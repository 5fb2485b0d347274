"""Record and replay runs of the ``claude`` command: the shim, its control socket, a cassette's runs. Internal."""
