"""Offhook: provisioning server, SIP registrar and check-sync sender in one process."""

__version__ = "0.1.0"
