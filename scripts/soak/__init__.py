"""Sessions on real sockets for as long as somebody wants, and what was lost meanwhile."""
