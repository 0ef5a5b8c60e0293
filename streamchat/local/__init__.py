"""The embedded model: its weights on disk, and the child process that runs them behind a loopback server."""
