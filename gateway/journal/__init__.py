"""Records of what was decided, on disk before the wire; reader, figures, reconciliation with the venues, run report."""
