"""Storms: real processes, real databases and a real network, all of which are broken on purpose while people write."""
