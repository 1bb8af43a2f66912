"""Answers out of the shop's pages, to what no other skill knows."""
