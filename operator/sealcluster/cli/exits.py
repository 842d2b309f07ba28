"""Exit codes that mean something."""

FAILED = 1
"""Something went wrong that may be gone next time."""
INVALID = 2
"""What was asked for cannot be used; nothing was touched."""
BLOCKED = 3
"""A person must change something; the message says what."""
INTERRUPTED = 130
"""Stopped by the user; nothing is lost."""
