"""Venues to trade against: an independent witness that speaks FIX with its own codec and never imports the gateway."""
