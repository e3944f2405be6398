"""The tests of streamcli; a package so that one test's tools can be imported by another's."""
