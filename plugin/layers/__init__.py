"""From files to the map: groups, styles, metadata of the layers of a job."""
