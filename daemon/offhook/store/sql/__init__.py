"""The stores on SQL."""
