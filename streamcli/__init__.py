"""streamcli: Redis Streams at a prompt, in scripts, and in one file."""

__version__ = "0.1.0"
