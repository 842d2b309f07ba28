"""Says clearly what is missing before a virtual environment is made. Runs on any Python 3."""

import importlib.util
import platform
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is what tells people so
    sys.exit(f"this project needs Python 3.11 or newer, this is {platform.python_version()}: set PYTHON=/path/to/python3.11")
if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
    sys.exit("Python's venv module is missing: apt-get install python3-venv")
