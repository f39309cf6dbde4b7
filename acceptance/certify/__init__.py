"""Scripts of a FIX session, an independent codec and a player: our conformance, and the certification of clients."""
