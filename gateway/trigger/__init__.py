"""From quotes to intents: the price of a pair, its rules, lots aligned to what the books hold. Pure."""
