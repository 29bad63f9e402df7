"""From a phone's request to the bytes of its file: evidence, identify, access, render."""
