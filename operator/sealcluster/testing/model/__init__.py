"""The modelled outside world, one concern per module; `world.ModelWorld` puts them together."""
