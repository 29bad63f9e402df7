"""What administrators reach: the API and who may use it."""
