"""Outside services that judge emergency addresses; they satisfy the port of :mod:`offhook.inventory.emergency`."""
