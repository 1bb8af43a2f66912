"""Several processes that are one bot: news between them, and work that one of them does."""
