"""Test vectors of the compression modes, taken from the real engines."""
