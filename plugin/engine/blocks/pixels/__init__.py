"""Work on pixels, with GDAL and numpy. Imported when a block runs, never by the engine's server: it stays small."""
