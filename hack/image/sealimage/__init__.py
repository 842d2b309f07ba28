"""Builds the operator's image without a container engine: Debian's Python, pinned wheels and our own wheel, the same bytes every time."""
