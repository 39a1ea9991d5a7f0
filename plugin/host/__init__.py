"""What QGIS lends us: network settings, vault, background work, engine process, ledger, tracker, use cases."""
