"""Language models: which one answers, at what price, and what happens when none does. Knows no vendor."""
