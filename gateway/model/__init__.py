"""The nouns that every other folder speaks: instruments, quotes, orders, intents, pair trades, events. Pure values."""
