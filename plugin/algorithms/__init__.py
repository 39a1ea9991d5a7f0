"""What people script: the QGIS Processing provider and its algorithms."""
