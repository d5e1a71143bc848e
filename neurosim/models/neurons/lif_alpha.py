"""Leaky integrate-and-fire neuron with alpha-shaped synaptic currents."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="lif_alpha",
    summary="leaky integrate-and-fire, alpha-shaped currents whose peak is the weight; exact integration",
    source="doi:10.1007/s004220050570",  # Rotter & Diesmann 1999, Biol Cybern 81:381
    # an arrival of weight w makes the current w·(t/tau)·exp(1 - t/tau), which is w at its peak, at t = tau
    equations="""\
dv/dt = (e_l - v)/tau_m + (i_exc + i_inh + i_e + i_stim)/c_m : mV (unless refractory)
di_exc/dt = (exp(1)*rise_exc - i_exc)/tau_exc : pA
drise_exc/dt = -rise_exc/tau_exc : pA
di_inh/dt = (exp(1)*rise_inh - i_inh)/tau_inh : pA
drise_inh/dt = -rise_inh/tau_inh : pA""",
    threshold="v >= v_th",
    reset="v = v_reset",
    refractory="t_ref",
    parameters=(
        Parameter("tau_m", 20.0, "ms", "membrane time constant", low=1e-6),
        Parameter("c_m", 250.0, "pF", "membrane capacitance", low=1e-6),
        Parameter("e_l", -65.0, "mV", "resting potential"),
        Parameter("v_th", -50.0, "mV", "threshold"),
        Parameter("v_reset", -65.0, "mV", "reset potential"),
        Parameter("t_ref", 2.0, "ms", "refractory period", low=0.0),
        Parameter("tau_exc", 2.0, "ms", "time from arrival to peak of the excitatory current", low=1e-6),
        Parameter("tau_inh", 2.0, "ms", "time from arrival to peak of the inhibitory current", low=1e-6),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    state=(
        StateVariable("v", "mV", "membrane potential", initial="e_l"),
        StateVariable("i_exc", "pA", "excitatory synaptic current"),
        StateVariable("rise_exc", "pA", "what makes the excitatory current rise"),
        StateVariable("i_inh", "pA", "inhibitory synaptic current"),
        StateVariable("rise_inh", "pA", "what makes the inhibitory current rise"),
    ),
    receptors={"exc": Receptor("rise_exc", "pA"), "inh": Receptor("rise_inh", "pA")},
    drive_unit="pA",
)
