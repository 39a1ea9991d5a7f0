"""PYQGIS_STARTUP: any Python error of the session goes to the file UP42_TEST_ERRORS instead of a modal dialog.

Such a dialog would come before anything can be driven, and would hang the test.
"""

import os
import sys
import traceback

import qgis.utils


def _write(text):
    with open(os.environ["UP42_TEST_ERRORS"], "a", encoding="utf-8") as file:
        file.write(text + "\n")


def _show_exception(kind, value, trace, message, *_args, **_kwargs):
    _write(f"{message}\n" + "".join(traceback.format_exception(kind, value, trace)))


qgis.utils.showException = _show_exception
sys.unraisablehook = lambda raised: _write(f"unraisable: {raised.exc_value!r} in {raised.object!r}")
