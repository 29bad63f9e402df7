"""SIP without input and output: values, parser, framing, digest, transactions."""
