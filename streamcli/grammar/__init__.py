"""The language: one table of commands, one parser."""
