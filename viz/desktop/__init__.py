"""The network in a window of the desktop, by pyvista (extra ``desktop``): to turn with the mouse, or to film.

`opengl` looks whether this machine can draw at all, before VTK would crash; `window` draws scenes and frames.
"""
