"""What streamcli is measured by, against its peers, in one run: `python -m benchmarks`."""
