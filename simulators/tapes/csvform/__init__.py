"""The csv form of a tape: for a user's own recordings, and to look at any tape."""
