"""Verbs on one machine: facts, files, jobs; POSIX shell scripts do the work there."""
