"""Handoff: who speaks in a conversation, and the bridge between a channel and a desk."""
