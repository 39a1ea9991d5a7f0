"""The demo landscape: a made-up Earth that anyone can query offline, the same for everyone."""
