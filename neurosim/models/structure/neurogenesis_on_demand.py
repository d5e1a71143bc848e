"""Neurogenesis on demand: neurons are born while the population is busy."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

RULE = StructuralRule(
    name="neurogenesis_on_demand",
    summary="neurons are born while the mean rate of the population lies above a limit",
    source="Deisseroth et al. 2004, Neuron 42:535: activity drives neurogenesis",
    parameters=(
        Parameter("rate", 1.0, "Hz", "births per second while there is demand", low=0.0),
        Parameter("above", 10.0, "Hz", "mean rate of the population above which there is demand", low=0.0),
        Parameter("tau_rate", 1000.0, "ms", "time over which rates are taken", low=1e-6),
        Parameter("at_most", float("inf"), "", "size of the population at which none are born", low=0.0),
    ),
    equations="dactivity/dt = (spikes - activity)/tau_rate : Hz",
    births="where(mean_activity > above, min(rate*every, max(at_most - size, 0)), 0)",
    about_neurons=True,
)
