"""Emergency addresses: their rules, where a device has one from, who checks them, and what is handed on."""
