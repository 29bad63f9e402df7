"""The command line: a file per command or group of commands. It talks to the daemon over its admin socket."""
