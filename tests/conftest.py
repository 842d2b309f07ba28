"""What all tests may use."""

pytest_plugins = ["labkit.images", "labkit.machines", "labkit.plane", "labkit.crds", "labkit.product", "labkit.gitops", "sampling"]
