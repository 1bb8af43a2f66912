"""The versions of the database, forward only; run at start, by whichever process comes first."""
