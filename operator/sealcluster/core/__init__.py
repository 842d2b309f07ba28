"""Pure decisions: what was observed, what is recorded, what to do next. No IO, no clock, no third-party library."""
