"""Skills: one folder for each job the bot can do."""
