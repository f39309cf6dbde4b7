"""FIX words in and out, venue dialects, and the QuickFIX sessions (`engine`: the only part that does input, output)."""
