"""Handoff: one folder for each helpdesk."""
