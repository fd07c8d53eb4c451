"""Servers and clients of each class, and paths between them that delay, cut and drop."""
