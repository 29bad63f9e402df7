"""The operator's YAML file: its schema, and how it is read."""
