"""What models may cost and did cost: held before a call, settled after it, added up by day."""
