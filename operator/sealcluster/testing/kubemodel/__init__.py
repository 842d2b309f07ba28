"""A strict API server in memory: what `fakekube.FakeKube` is made of."""
