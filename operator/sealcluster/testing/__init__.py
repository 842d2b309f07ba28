"""Fakes and models of the outside world that ship with the package, and the simulation that drives the real engine against them."""
