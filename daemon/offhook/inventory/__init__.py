"""Accounts, locations, users, numbers, devices and lines, and the rules between them."""
