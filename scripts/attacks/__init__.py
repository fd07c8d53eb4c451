"""Attacks on a server and faults of its network, with the real engines, in network namespaces of their own."""
