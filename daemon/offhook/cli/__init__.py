"""The offhook command, a file per group of commands."""
