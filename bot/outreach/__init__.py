"""What the bot says without having been asked: single messages, schedules, broadcasts, and who wants none of it."""
