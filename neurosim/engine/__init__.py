"""From a network to kernels and back: epochs, delivery, state."""
