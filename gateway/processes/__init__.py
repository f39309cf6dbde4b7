"""The mains and what only they do: settings, clocks, ids, child processes, the command line, the demo."""
