"""The Python door: redis-py's clients on the engine in this process."""
