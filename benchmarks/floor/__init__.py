"""The C++ reference: QuickFIX and ZeroMQ, three processes, as short as it can be."""
