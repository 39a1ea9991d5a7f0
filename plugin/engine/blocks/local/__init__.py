"""The user's own GeoTIFFs as scenes: found in registered folders, indexed, clipped."""
