"""FIX words in and out, venue dialects, and the QuickFIX sessions (`engine`, the only part here with input and output)."""
