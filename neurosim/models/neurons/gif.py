"""Generalised integrate-and-fire neuron: spike-triggered currents, a moving threshold and escape noise."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="gif",
    summary="generalised integrate-and-fire: spike-triggered currents, moving threshold, escape noise; exact",
    source="doi:10.1371/journal.pcbi.1004275",  # Pozzorini et al. 2015, PLoS Comput Biol 11:e1004275
    # Kernels are sums of two exponentials that begin at the spike. The bound keeps the rate finite.
    equations="""\
dv/dt = (g_l*(e_l - v) - stc_1 - stc_2 + i_exc + i_inh + i_e + i_stim)/c_m : mV (unless refractory)
dstc_1/dt = -stc_1/tau_stc_1 : pA
dstc_2/dt = -stc_2/tau_stc_2 : pA
dsfa_1/dt = -sfa_1/tau_sfa_1 : mV
dsfa_2/dt = -sfa_2/tau_sfa_2 : mV
di_exc/dt = -i_exc/tau_exc : pA
di_inh/dt = -i_inh/tau_inh : pA
theta = v_t + sfa_1 + sfa_2 : mV
rho = rho_0*exp(min((v - theta)/delta_v, 200)) : 1/ms""",
    threshold="rand() < -expm1(-rho*dt)",
    reset="v = v_reset; stc_1 += q_stc_1; stc_2 += q_stc_2; sfa_1 += q_sfa_1; sfa_2 += q_sfa_2",
    refractory="t_ref",
    # layer 5 pyramidal neurons, Mensi et al. 2012, doi:10.1152/jn.00408.2011
    parameters=(
        Parameter("c_m", 83.1, "pF", "membrane capacitance", low=1e-6),
        Parameter("g_l", 3.7, "nS", "leak conductance", low=0.0),
        Parameter("e_l", -67.0, "mV", "resting potential"),
        Parameter("v_t", -39.6, "mV", "threshold long after the last spike"),
        Parameter("rho_0", 0.001, "1/ms", "escape rate at the threshold", low=0.0),
        Parameter("delta_v", 1.4, "mV", "sharpness: depolarisation that makes the rate e times as high", low=1e-6),
        Parameter("v_reset", -36.7, "mV", "reset potential"),
        Parameter("t_ref", 4.0, "ms", "refractory period", low=0.0),
        Parameter("q_stc_1", 56.7, "pA", "jump of the first spike-triggered current"),
        Parameter("tau_stc_1", 57.8, "ms", "time constant of the first spike-triggered current", low=1e-6),
        Parameter("q_stc_2", -6.9, "pA", "jump of the second spike-triggered current"),
        Parameter("tau_stc_2", 218.2, "ms", "time constant of the second spike-triggered current", low=1e-6),
        Parameter("q_sfa_1", 11.7, "mV", "jump of the threshold's first part"),
        Parameter("tau_sfa_1", 53.8, "ms", "time constant of the threshold's first part", low=1e-6),
        Parameter("q_sfa_2", 1.8, "mV", "jump of the threshold's second part"),
        Parameter("tau_sfa_2", 640.0, "ms", "time constant of the threshold's second part", low=1e-6),
        Parameter("tau_exc", 5.0, "ms", "time constant of the excitatory current", low=1e-6),
        Parameter("tau_inh", 10.0, "ms", "time constant of the inhibitory current", low=1e-6),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    state=(
        StateVariable("v", "mV", "membrane potential", initial="e_l"),
        StateVariable("stc_1", "pA", "spike-triggered current, first part"),
        StateVariable("stc_2", "pA", "spike-triggered current, second part"),
        StateVariable("sfa_1", "mV", "shift of the threshold, first part"),
        StateVariable("sfa_2", "mV", "shift of the threshold, second part"),
        StateVariable("i_exc", "pA", "excitatory synaptic current"),
        StateVariable("i_inh", "pA", "inhibitory synaptic current"),
    ),
    receptors={"exc": Receptor("i_exc", "pA"), "inh": Receptor("i_inh", "pA")},
    drive_unit="pA",
)
