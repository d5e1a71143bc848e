"""Leaky integrate-and-fire neuron that fires at random, the likelier the higher its membrane potential."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="lif_escape",
    summary="leaky integrate-and-fire with escape noise: a soft threshold; exponential currents, exact integration",
    source="doi:10.1007/s10827-006-7074-5",  # Jolivet, Rauch, Lüscher & Gerstner 2006, J Comput Neurosci 21:35
    # the bound keeps the exponential finite; a neuron with such a rate fires anyway
    equations="""\
dv/dt = (e_l - v)/tau_m + (i_exc + i_inh + i_e + i_stim)/c_m : mV (unless refractory)
di_exc/dt = -i_exc/tau_exc : pA
di_inh/dt = -i_inh/tau_inh : pA
rho = rho_th*exp(min((v - v_th)/delta_v, 200)) : 1/ms""",
    threshold="rand() < -expm1(-rho*dt)",
    reset="v = v_reset",
    refractory="t_ref",
    parameters=(
        Parameter("tau_m", 20.0, "ms", "membrane time constant", low=1e-6),
        Parameter("c_m", 250.0, "pF", "membrane capacitance", low=1e-6),
        Parameter("e_l", -65.0, "mV", "resting potential"),
        Parameter("v_th", -50.0, "mV", "soft threshold: where the escape rate is rho_th"),
        Parameter("rho_th", 0.05, "1/ms", "escape rate at the threshold", low=0.0),
        Parameter("delta_v", 4.0, "mV", "depolarisation that makes the escape rate e times as high", low=1e-6),
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
