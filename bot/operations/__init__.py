"""What whoever runs the bot sees of it: its log, its way out, who blocks it, and why a turn went as it did."""
