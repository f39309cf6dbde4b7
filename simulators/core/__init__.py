"""The pure part of the venue simulators: books, matching, faults, network and clocks in virtual time."""
