"""From a venue's words to one trustworthy quote per instrument: books, gaps, verdicts. Pure."""
