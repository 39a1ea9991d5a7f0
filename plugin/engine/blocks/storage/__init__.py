"""The user's own rasters, chosen one by one: the storage of the local engine is the folders that are registered."""
