"""The command line: options, local records, progress; the engine and its ports do the work."""
