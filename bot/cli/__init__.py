"""The commands of `python run.py`, by what they are about. What a bot is made of they are told."""
