"""The FIX part of the venue simulators: sessions and words, pure, and the sockets around them."""
