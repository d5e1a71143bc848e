"""Quadratic integrate-and-fire neuron with exponentially decaying synaptic currents."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="quadratic",
    summary="quadratic integrate-and-fire, the normal form of type I excitability; exponential synaptic currents",
    source="doi:10.1152/jn.2000.83.2.808",  # Latham, Richmond, Nelson & Nirenberg 2000, J Neurophysiol 83:808
    # with k = 1/(v_c - e_l), small deviations from rest decay with tau_m
    equations="""\
dv/dt = k*(v - e_l)*(v - v_c)/tau_m + (i_exc + i_inh + i_e + i_stim)/c_m : mV (unless refractory)
di_exc/dt = -i_exc/tau_exc : pA
di_inh/dt = -i_inh/tau_inh : pA""",
    method="rk4",
    threshold="v >= v_peak",
    reset="v = v_reset",
    refractory="t_ref",
    parameters=(
        Parameter("tau_m", 20.0, "ms", "membrane time constant", low=0.05),
        Parameter("c_m", 250.0, "pF", "membrane capacitance", low=1.0),
        Parameter("k", 0.05, "1/mV", "curvature", low=0.0),
        Parameter("e_l", -65.0, "mV", "resting potential, the stable one of the two fixed points"),
        Parameter("v_c", -45.0, "mV", "critical potential, beyond which the neuron spikes"),
        Parameter("v_peak", 30.0, "mV", "peak, where the spike is cut"),
        Parameter("v_reset", -65.0, "mV", "reset potential"),
        Parameter("t_ref", 0.0, "ms", "refractory period", low=0.0),
        Parameter("tau_exc", 5.0, "ms", "time constant of the excitatory current", low=0.05),
        Parameter("tau_inh", 10.0, "ms", "time constant of the inhibitory current", low=0.05),
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
