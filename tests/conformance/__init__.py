"""What holds the embedded engine to the truth: scripts, recordings of a real server, and random sequences.

The reference is Redis 8.0. Everything here compares bytes of the wire, never Python values.
"""
