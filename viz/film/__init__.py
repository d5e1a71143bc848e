"""Pictures and movies of a network in space, painted with light by our own hand: no OpenGL, no screen.

`painter` turns scenes and frames (`neurosim.viz.live.frame`) into images, seen through a `camera`, with kernels of
`light` and letters of `lettering`; `movie` puts images one after the other into a file.
"""
