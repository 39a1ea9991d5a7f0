"""Real servers on loopback that behave badly, or well, on purpose. Each is a context manager with a `url`."""
