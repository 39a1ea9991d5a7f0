"""UP42 Jobs, a QGIS plugin: run geospatial jobs and get their outputs as map layers."""


def classFactory(iface):  # noqa: N802  (the name QGIS looks for)
    """Return the plugin object; imported late, so that rooms without Qt stay importable without QGIS."""
    from .plugin.main import Up42JobsPlugin

    return Up42JobsPlugin(iface)
