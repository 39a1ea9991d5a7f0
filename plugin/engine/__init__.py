"""The local platform: a process of its own that speaks the jobs contract on 127.0.0.1. Never imported by the plugin."""
