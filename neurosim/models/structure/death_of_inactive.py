"""Death by inactivity."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

RULE = StructuralRule(
    name="death_of_inactive",
    summary="neurons that fire too little for a while die",
    source="our own form of activity-dependent survival",
    parameters=(
        Parameter("below", 0.1, "Hz", "rate below which a neuron is inactive", low=0.0),
        Parameter("lasting", 10_000.0, "ms", "how long (`for`) it must have been, whenever the rule looked", low=0.0),
        Parameter("tau_rate", 5_000.0, "ms", "time over which rates are taken", low=1e-6),
    ),
    equations="dactivity/dt = (spikes - activity)/tau_rate : Hz",
    die="activity < below",
    lasting="lasting",
    about_neurons=True,
)
