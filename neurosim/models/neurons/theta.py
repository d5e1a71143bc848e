"""Theta neuron: a phase on a circle, equivalent to a quadratic integrate-and-fire neuron without bounds."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="theta",
    summary="theta neuron, a phase that spikes at π; exponential synaptic drive, without a unit",
    source="doi:10.1137/0146017",  # Ermentrout & Kopell 1986, SIAM J Appl Math 46:233
    # with v = tan(theta/2) this is tau_m dv/dt = v² + drive
    equations="""\
dtheta/dt = (1 - cos(theta) + (1 + cos(theta))*(i_exc + i_inh + i_e + i_stim))/tau_m : 1
di_exc/dt = -i_exc/tau_exc : 1
di_inh/dt = -i_inh/tau_inh : 1""",
    method="rk4",
    threshold="theta >= 3.141592653589793",
    reset="theta -= 6.283185307179586",
    parameters=(
        Parameter("tau_m", 10.0, "ms", "membrane time constant", low=1e-6),
        Parameter("tau_exc", 5.0, "ms", "time constant of the excitatory drive", low=1e-6),
        Parameter("tau_inh", 10.0, "ms", "time constant of the inhibitory drive", low=1e-6),
        Parameter("i_e", 0.0, "", "constant drive: above 0 the neuron is periodic, below 0 excitable"),
    ),
    state=(
        StateVariable("theta", "", "phase, from -π to π"),
        StateVariable("i_exc", "", "excitatory synaptic drive"),
        StateVariable("i_inh", "", "inhibitory synaptic drive"),
    ),
    receptors={"exc": Receptor("i_exc", ""), "inh": Receptor("i_inh", "")},
    drive_unit="",
)
