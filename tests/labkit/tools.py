"""Tools that come with the test environment, whatever the machine has on its PATH."""

import sys
from pathlib import Path

SHELLCHECK = str(Path(sys.executable).with_name("shellcheck"))
