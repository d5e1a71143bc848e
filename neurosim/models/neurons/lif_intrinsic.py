"""Leaky integrate-and-fire neuron with intrinsic plasticity: its threshold keeps it at a target rate."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

# Lazar, Pipa & Triesch 2009, Front Comput Neurosci 3:23, equation 5, in continuous time: each spike raises the
# threshold by eta, and it sinks by eta for every spike that was due. What keeps it bounded is that it fires: whatever
# drives the neuron, the threshold can only be at rest where the mean rate is the target's.
MODEL = NeuronModel(
    name="lif_intrinsic",
    summary="leaky integrate-and-fire whose threshold keeps it at a target rate; exponential currents, exact",
    source="doi:10.3389/neuro.10.023.2009",
    equations="""\
dv/dt = (e_l - v)/tau_m + (i_exc + i_inh + i_e + i_stim)/c_m : mV (unless refractory)
dtheta/dt = -eta*target : mV
di_exc/dt = -i_exc/tau_exc : pA
di_inh/dt = -i_inh/tau_inh : pA""",
    threshold="v >= theta",
    reset="v = v_reset; theta += eta",
    refractory="t_ref",
    parameters=(
        Parameter("tau_m", 20.0, "ms", "membrane time constant", low=1e-6),
        Parameter("c_m", 250.0, "pF", "membrane capacitance", low=1e-6),
        Parameter("e_l", -65.0, "mV", "resting potential"),
        Parameter("v_th", -50.0, "mV", "threshold at the beginning"),
        Parameter("target", 5.0, "Hz", "target rate", low=0.0),
        Parameter("eta", 0.1, "mV", "how much a spike raises the threshold", low=0.0),
        Parameter("v_reset", -70.0, "mV", "reset potential"),
        Parameter("t_ref", 2.0, "ms", "refractory period", low=0.0),
        Parameter("tau_exc", 5.0, "ms", "time constant of the excitatory current", low=1e-6),
        Parameter("tau_inh", 10.0, "ms", "time constant of the inhibitory current", low=1e-6),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    state=(
        StateVariable("v", "mV", "membrane potential", initial="e_l"),
        StateVariable("theta", "mV", "threshold", initial="v_th"),
        StateVariable("i_exc", "pA", "excitatory synaptic current"),
        StateVariable("i_inh", "pA", "inhibitory synaptic current"),
    ),
    receptors={"exc": Receptor("i_exc", "pA"), "inh": Receptor("i_inh", "pA")},
    drive_unit="pA",
)
