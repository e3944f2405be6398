"""The shell on real servers, started here on loopback: alone, by TLS, through Sentinel, as a cluster; and broken.

What can be asked of the fixtures stands in `conftest.py`.
"""
