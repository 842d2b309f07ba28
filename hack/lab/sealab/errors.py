"""What the lab says when it cannot go on."""


class LabError(Exception):
    """One clear sentence for the person at the terminal: verb-ing what: cause, and what to do about it."""
