"""The databases: they satisfy the ports that the domain packages define."""
