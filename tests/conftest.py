"""What all tests may use."""

pytest_plugins = ["labkit.machines", "labkit.plane", "labkit.crds"]
