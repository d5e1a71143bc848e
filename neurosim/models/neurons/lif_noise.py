"""Leaky integrate-and-fire neuron whose membrane is driven by white noise."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="lif_noise",
    summary="leaky integrate-and-fire with white noise; exponential synaptic currents, exact integration",
    source="doi:10.1162/089976699300016179",  # Brunel & Hakim 1999, Neural Comput 11:1621
    # without a threshold the membrane would be an Ornstein-Uhlenbeck process of standard deviation sigma
    equations="""\
dv/dt = (e_l - v)/tau_m + (i_exc + i_inh + i_e + i_stim)/c_m + sigma*sqrt(2/tau_m)*xi : mV (unless refractory)
di_exc/dt = -i_exc/tau_exc : pA
di_inh/dt = -i_inh/tau_inh : pA""",
    threshold="v >= v_th",
    reset="v = v_reset",
    refractory="t_ref",
    parameters=(
        Parameter("tau_m", 20.0, "ms", "membrane time constant", low=1e-6),
        Parameter("c_m", 250.0, "pF", "membrane capacitance", low=1e-6),
        Parameter("e_l", -65.0, "mV", "resting potential"),
        Parameter("sigma", 4.0, "mV", "standard deviation of the membrane potential, were there no threshold", low=0.0),
        Parameter("v_th", -50.0, "mV", "threshold"),
        Parameter("v_reset", -65.0, "mV", "reset potential"),
        Parameter("t_ref", 2.0, "ms", "refractory period", low=0.0),
        Parameter("tau_exc", 5.0, "ms", "time constant of the excitatory current", low=1e-6),
        Parameter("tau_inh", 10.0, "ms", "time constant of the inhibitory current", low=1e-6),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    state=(
        StateVariable("v", "mV", "membrane potential", initial="e_l"),
        StateVariable("i_exc", "pA", "excitatory synaptic current"),
        StateVariable("i_inh", "pA", "inhibitory synaptic current"),
    ),
    receptors={"exc": Receptor("i_exc", "pA"), "inh": Receptor("i_inh", "pA")},
    drive_unit="pA",
)
