"""Structural rules at run time: looked at between epochs, all that are due at one time together."""
