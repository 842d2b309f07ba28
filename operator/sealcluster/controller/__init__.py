"""The operator: events in, one supervisor per object, probes and metrics out."""
