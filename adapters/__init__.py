"""Adapters: one external system behind a port, by adapters/<port>/<vendor>.py."""
