"""A population of independent Poisson sources."""

from neurosim.models.declare import NeuronModel, Parameter

MODEL = NeuronModel(
    name="poisson",
    summary="fires at random: in each time step with probability rate × dt, independently",
    source="",
    threshold="rand() < rate*dt",
    parameters=(Parameter("rate", 10.0, "Hz", "firing rate", low=0.0),),
)
