"""Channels: one folder for each platform where people write."""
