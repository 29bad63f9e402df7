"""Telling a device to fetch its configuration, and following it until it runs what it should."""
