"""Streams on one SQLite file: no command names, no reply texts, no clock."""
