"""The library of neuron models: one file each, holding ``MODEL``."""
