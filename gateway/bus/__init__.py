"""Messages between the processes: topics and frames (pure), ZeroMQ sockets (I/O)."""
