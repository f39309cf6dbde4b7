"""Tapes made of recorded market data that lies in a folder of the user; none of it is in this repository."""
