"""`streamcli serve` as a process of its own, asked by real clients over real sockets."""
