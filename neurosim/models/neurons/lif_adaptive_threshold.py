"""Leaky integrate-and-fire neuron whose threshold jumps at each spike and relaxes."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="lif_adaptive_threshold",
    summary="leaky integrate-and-fire whose threshold adapts, exponential synaptic currents, exact integration",
    source="doi:10.1103/PhysRevLett.85.1576",  # Chacron, Longtin, St-Hilaire & Maler 2000, Phys Rev Lett 85:1576
    equations="""\
dv/dt = (e_l - v)/tau_m + (i_exc + i_inh + i_e + i_stim)/c_m : mV (unless refractory)
dtheta/dt = (v_th - theta)/tau_th : mV
di_exc/dt = -i_exc/tau_exc : pA
di_inh/dt = -i_inh/tau_inh : pA""",
    threshold="v >= theta",
    reset="v = v_reset; theta += d_th",
    refractory="t_ref",
    parameters=(
        Parameter("tau_m", 20.0, "ms", "membrane time constant", low=1e-6),
        Parameter("c_m", 250.0, "pF", "membrane capacitance", low=1e-6),
        Parameter("e_l", -65.0, "mV", "resting potential"),
        Parameter("v_th", -50.0, "mV", "threshold at rest"),
        Parameter("tau_th", 100.0, "ms", "time constant of the threshold", low=1e-6),
        Parameter("d_th", 2.0, "mV", "jump of the threshold at a spike", low=0.0),
        Parameter("v_reset", -65.0, "mV", "reset potential"),
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
