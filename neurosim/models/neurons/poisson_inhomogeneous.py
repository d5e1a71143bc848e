"""A population of independent Poisson sources whose rate goes up and down."""

from neurosim.models.declare import NeuronModel, Parameter

MODEL = NeuronModel(
    name="poisson_inhomogeneous",
    summary="fires at random with a rate that is modulated by a sine: in each time step with probability rate × dt",
    source="",
    equations="intensity = rate*max(0, 1 + depth*sin(6.283185307179586*frequency*t + phase)) : Hz",
    threshold="rand() < intensity*dt",
    parameters=(
        Parameter("rate", 10.0, "Hz", "mean firing rate (if depth is at most 1)", low=0.0),
        Parameter("depth", 1.0, "", "depth of the modulation; the rate is never below 0", low=0.0),
        Parameter("frequency", 10.0, "Hz", "frequency of the modulation", low=0.0),
        Parameter("phase", 0.0, "", "phase of the modulation at time 0, in radians"),
    ),
)
