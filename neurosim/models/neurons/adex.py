"""Adaptive exponential integrate-and-fire neuron with exponentially decaying synaptic currents."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="adex",
    summary="adaptive exponential integrate-and-fire, exponential synaptic currents",
    source="doi:10.1152/jn.00686.2005",  # Brette & Gerstner 2005, J Neurophysiol 94:3637
    # the upstroke outruns any time step: the potential is seen as v_peak at most, the exponent as 100 at most, so
    # that nothing overflows and the adaptation does not see how far a step shot beyond the peak
    equations="""\
dv/dt = (-g_l*(u - e_l) + i_spike - w + i_exc + i_inh + i_e + i_stim)/c_m : mV (unless refractory)
dw/dt = (a*(u - e_l) - w)/tau_w : pA
di_exc/dt = -i_exc/tau_exc : pA
di_inh/dt = -i_inh/tau_inh : pA
u = min(v, v_peak) : mV
i_spike = g_l*delta_t*exp(min((u - v_t)/delta_t, 100)) : pA""",
    method="rk4",
    threshold="v >= v_peak",
    reset="v = v_reset; w += b",
    refractory="t_ref",
    parameters=(
        Parameter("c_m", 281.0, "pF", "membrane capacitance", low=1.0),
        Parameter("g_l", 30.0, "nS", "leak conductance", low=0.0),
        Parameter("e_l", -70.6, "mV", "resting potential"),
        Parameter("v_t", -50.4, "mV", "threshold potential, where the spike takes off"),
        Parameter("delta_t", 2.0, "mV", "slope factor of the take-off", low=1e-3),
        Parameter("v_peak", 20.0, "mV", "peak, where the spike is cut"),
        Parameter("v_reset", -70.6, "mV", "reset potential"),
        Parameter("t_ref", 0.0, "ms", "refractory period", low=0.0),
        Parameter("tau_w", 144.0, "ms", "time constant of the adaptation", low=0.05),
        Parameter("a", 4.0, "nS", "subthreshold adaptation"),
        Parameter("b", 80.5, "pA", "jump of the adaptation current at a spike"),
        Parameter("tau_exc", 5.0, "ms", "time constant of the excitatory current", low=0.05),
        Parameter("tau_inh", 10.0, "ms", "time constant of the inhibitory current", low=0.05),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    state=(
        StateVariable("v", "mV", "membrane potential", initial="e_l"),
        StateVariable("w", "pA", "adaptation current"),
        StateVariable("i_exc", "pA", "excitatory synaptic current"),
        StateVariable("i_inh", "pA", "inhibitory synaptic current"),
    ),
    receptors={"exc": Receptor("i_exc", "pA"), "inh": Receptor("i_inh", "pA")},
    drive_unit="pA",
)
