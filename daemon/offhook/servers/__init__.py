"""The only code that listens: it moves bytes between sockets and the packages below."""
