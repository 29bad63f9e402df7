"""TFTP without input and output: the packets, and one read transfer as a state machine."""
