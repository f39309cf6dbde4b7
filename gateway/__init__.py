"""The gateway: quotes of two markets in, one balanced pair trade out.

Folders import one way only: processes -> console, clients, journal, bus, fix -> execution -> trigger -> feed -> model.
"""
