"""Plasticity at run time: rules compiled to "one touch per spike per synapse"."""
