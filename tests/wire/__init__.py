"""A loopback server that plays the providers' wire formats, whole and broken, from scenarios that are data."""
