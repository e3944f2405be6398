"""The embedded engine for any Redis client, over TCP and a unix socket."""
