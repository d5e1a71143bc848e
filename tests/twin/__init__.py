"""The naive twin: the law of ``docs/semantics.md`` in plain Python, every event in time order.

It is slow and obviously right, and every kernel is tested against it, bit for bit. It shares no code with
neurosim; but for numpy's random numbers, it needs nothing but the standard library. Read it in this order:

``grid``        times in whole steps, and numbers as they are stored
``rng``         random words keyed by (seed, purpose, neuron, step)
``parts``       what the world is made of: neurons, synapses, populations, projections, inputs, arrivals
``models``      what one neuron does in one step
``traces``      fading memories of spikes
``plasticity``  what one synapse learns from one event, and what a rule sees of it
``rules``       the library's learning rules
``odd_rules``   rules that use all there is
``learning``    when synapses learn
``seen``        what structural rules see, and what they keep of neurons
``structure``   when structural rules act, and how the world changes
``structure_synapses``, ``structure_neurons``   whom they let die, and whom they let be born
``world``       births, deaths, and the order of everything that happens at one time
"""

from __future__ import annotations

from .grid import delay_in_steps, f32, in_steps
from .models import Izhikevich, LifDelta, LifExp, PoissonSource, SpikeList, synaptic_propagator
from .odd_rules import Clocked, Everything, Restless, Reward, Shifting, Whisper
from .parts import Arrival, Neuron, PoissonInput, Population, Projection, Synapse
from .plasticity import HOOKS, Bounds, Drive, Moment, Rule, Variable
from .rng import philox4x32, random_word
from .rules import (
    DsStdp,
    Stdp,
    StdpBuffered,
    StdpMultiplicative,
    StdpNearest,
    StdpNearestReduced,
    StdpPowerLaw,
    TsodyksMarkram,
)
from .seen import Fading, Memory
from .structure import Structural
from .structure_neurons import NeuronRule, Wire
from .structure_synapses import SynapseRule
from .traces import Kernel, Trace
from .world import World

__all__ = [
    "HOOKS",
    "Arrival",
    "Bounds",
    "Clocked",
    "Drive",
    "DsStdp",
    "Everything",
    "Fading",
    "Izhikevich",
    "Kernel",
    "LifDelta",
    "LifExp",
    "Memory",
    "Moment",
    "Neuron",
    "NeuronRule",
    "PoissonInput",
    "PoissonSource",
    "Population",
    "Projection",
    "Restless",
    "Reward",
    "Rule",
    "Shifting",
    "SpikeList",
    "Stdp",
    "StdpBuffered",
    "StdpMultiplicative",
    "StdpNearest",
    "StdpNearestReduced",
    "StdpPowerLaw",
    "Structural",
    "Synapse",
    "SynapseRule",
    "Trace",
    "TsodyksMarkram",
    "Variable",
    "Whisper",
    "Wire",
    "World",
    "delay_in_steps",
    "f32",
    "in_steps",
    "philox4x32",
    "random_word",
    "synaptic_propagator",
]
