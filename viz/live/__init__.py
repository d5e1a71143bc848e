"""A network as it lives: frames out of a running simulation or a result, and the page in the browser that shows them.

`frame` says what there is to draw, `stage` makes it out of spikes, births and deaths; these come from a simulation
(`running`) or a result (`replay`). Whoever draws knows `Scene` and `Frame` only.
"""
