"""The decision to trade a pair: formula, price, rules, lots. Pure."""
