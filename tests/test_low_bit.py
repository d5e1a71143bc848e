"""Weights of few bits: which there are, what is rounded to what, and that everybody else sees plain numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from test_scenario_errors import GOOD, mistakes
from twin import low_bit as twin
from twin.rng import purpose_of

import neurosim as ns
from neurosim.compiled import kernel
from neurosim.engine import low_bit
from neurosim.errors import UnknownName, UsageError
from neurosim.graph.precision import Half, Levels

BOUNDS = st.tuples(st.sampled_from([-2.0, -0.7, 0.0, 0.1]), st.sampled_from([0.2, 0.7, 2.0, 31.0]))
LOW = ("float16", "int8", "ternary")


@kernel
def _to_halves(weights: Any, share: float, out: Any) -> None:
    for i in range(weights.size):
        out[i] = low_bit.to_half(low_bit.as_half(weights[i], share))


@kernel
def _from_halves(bits: Any, out: Any) -> None:
    for i in range(bits.size):
        out[i] = low_bit.from_half(bits[i])


@kernel
def _to_levels(weights: Any, low: float, high: float, step: float, share: float, out: Any, levels: Any) -> None:
    for i in range(weights.size):
        out[i] = low_bit.as_level(weights[i], low, high, step, 1.0 / step, share)
        levels[i] = low_bit.to_level(out[i], low, 1.0 / step)


@kernel
def _shares(serials: Any, source: int, step: int, key: float, low: float, high: float, kind: int, out: Any) -> None:
    for i in range(serials.size):
        out[i] = low_bit.share_of(serials[i], source, step, key, low, high, kind)


@pytest.mark.lane
def test_all_numbers_of_16_bits_are_what_they_are_elsewhere() -> None:
    bits = np.arange(65536, dtype=np.uint16)
    bits = bits[np.isfinite(bits.view(np.float16))]
    values, back = np.zeros(bits.size), np.zeros(bits.size, np.uint16)
    _from_halves(bits, values)
    assert (values == bits.view(np.float16).astype(np.float64)).all()
    _to_halves(values, 0.5, back)
    assert (back == np.where(bits == 0x8000, 0, bits)).all()  # there is no -0


@pytest.mark.lane
@given(st.floats(-66000.0, 66000.0) | st.floats(-1.0, 1.0), st.sampled_from([2.0**-33, 0.25, 0.5, 1 - 2.0**-33]))
def test_a_number_is_rounded_to_16_bits_as_in_the_twin(weight: float, share: float) -> None:
    half, out = Half("float16", "nearest", None), np.zeros(1, np.uint16)
    assert half.limits == (-65504.0, 65504.0)
    _to_halves(np.clip(np.array([weight]), *half.limits), share, out)
    expected = twin.rounded(weight, "float16", half.limits, share)
    assert out.view(np.float16)[0] == expected
    if share == 0.5 and abs(weight) <= 65504.0:
        assert half.stored(np.array([weight]))[0] == expected


@pytest.mark.lane
@given(st.sampled_from(["int8", "ternary"]), BOUNDS, st.floats(0.0, 1.0), st.floats(2.0**-33, 1 - 2.0**-33))
def test_a_weight_becomes_a_level_as_in_the_twin(name: str, bounds: Any, place: float, share: float) -> None:
    kept, (low, high) = Levels(name, "nearest", bounds), bounds
    weight = min(low + place * (high - low), high)
    out, level = np.zeros(1), np.zeros(1, np.uint8)
    for of in (share, 0.5):
        _to_levels(np.array([weight]), low, high, kept.step, of, out, level)
        assert out[0] == twin.rounded(weight, name, bounds, of)
        assert out[0] == kept.shown(level)[0]
    assert out[0] == kept.shown(kept.stored(np.array([weight])))[0] == kept.kept(weight)


@pytest.mark.lane
@pytest.mark.parametrize("bounds", [(0.0, 0.1), (-0.3, 0.3), (-0.5, 2.0), (900.0, 901.0), (-1e-9, 3e-9)])
@pytest.mark.parametrize("name", ["int8", "ternary"])
def test_levels_end_at_the_bounds_and_rounding_leaves_them_alone(name: str, bounds: Any) -> None:
    kept = Levels(name, "stochastic", bounds)
    levels = np.arange(kept.last + 1, dtype=np.uint8)
    weights, out, again = kept.shown(levels), np.zeros(levels.size), np.zeros(levels.size, np.uint8)
    assert (weights[0], weights[-1]) == bounds
    assert (np.diff(weights) > 0.0).all()
    assert (kept.stored(weights) == levels).all()
    for share in (2.0**-33, 0.5, 1 - 2.0**-33):
        _to_levels(weights, *bounds, kept.step, share, out, again)
        assert (out == weights).all()
        assert (again == levels).all()
    assert kept.last == (2 if name == "ternary" else 254 if bounds == (-0.3, 0.3) else 255)
    assert 0.0 in weights or bounds[0] > 0.0 or bounds == (-1e-9, 3e-9) or kept.last == 2


@pytest.mark.lane
@pytest.mark.parametrize("hook", twin.KINDS)
def test_draws_are_keyed_by_seed_purpose_synapse_step_and_kind_of_event(hook: str) -> None:
    serials, source, step, seed = np.array([0, 1, 77, 2**32 - 1]), 2**31 + 5, 123456, 2**40 + 9
    key, out = purpose_of("rounding", "p"), np.zeros(4)
    _shares(serials, source, step, float(key), float(seed & twin.MASK), float(seed >> 32), twin.KINDS.index(hook), out)
    assert out.tolist() == [twin.share(seed, key, source << 32 | int(s), step, hook) for s in serials]
    assert len(set(out)) == 4
    assert ((out > 0.0) & (out < 1.0)).all()


# -- what users see -------------------------------------------------------------------------------------------


def _network(precision: str, *, weight: Any = None, rounding: str | None = None, **options: Any) -> Any:
    net = ns.Network(seed=4, dt=0.1)
    source = net.add_population("source", 60, {"poisson": {"rate": "50 Hz"}})
    target = net.add_population("target", 50, "lif_exp")
    weight = ns.uniform(0.0, 60.0) if weight is None else weight
    options = {"delay": ns.uniform("0.1 ms", "3 ms"), "bounds": {"weight": (0.0, 63.75)}, **options}
    return net, net.connect(source, target, ns.connectors.fixed_probability(0.4), weight=weight, name="st",
                            precision=precision, rounding=rounding, **options)  # fmt: skip


@pytest.mark.parametrize(("precision", "bytes_each"), [("float32", 4), ("float16", 2), ("int8", 1), ("ternary", 1)])
def test_a_weight_takes_as_many_bytes_as_it_says(precision: str, bytes_each: int) -> None:
    for learning in ((), ("stdp",)):
        store = _network(precision, learning=learning)[1].store
        assert store.columns["weight"].itemsize == bytes_each
        others = sum(column.itemsize for name, column in store.columns.items() if name != "weight")
        assert others == (5 if not learning else 6)  # target, delay: two bytes where synapses learn


@pytest.mark.parametrize("precision", LOW)
def test_weights_are_read_and_written_in_their_unit_everywhere(precision: str) -> None:
    net, wires = _network(precision)
    weights: NDArray[np.float64] = wires.weight.values
    spacing = {"float16": 2.0**-5, "int8": 0.25, "ternary": 31.875}[precision]
    plain = _network("float64")[1].weight.values
    assert (np.abs(weights - plain) <= 0.5001 * spacing).all()
    assert (weights != plain).any()
    assert wires.edges().weight.dtype == np.float32
    assert (wires.edges().weight == weights.astype(np.float32)).all()
    graph = net.to_networkx()
    assert sorted(w for _, _, w in graph.edges(data="weight")) == sorted(weights.astype(np.float32).tolist())
    wires.weight = weights
    wires.weight[wires.ids] = weights
    assert (wires.weight.values == weights).all()
    wires.weight[wires.ids[:2]] = 63.75
    assert wires.weight[wires.ids[:2]].tolist() == [63.75, 63.75]
    born = wires.add(net.populations["source"].ids[:1], net.populations["target"].ids[:1], weight=20.0)
    assert abs(wires.weight[born][0] - 20.0) <= 0.5001 * spacing
    strong = wires.ids[wires.weight.values > 30.0]
    assert strong.tolist() == wires.where("weight > 30").tolist()


@pytest.mark.parametrize("audit", [False, True])
@pytest.mark.parametrize("options", [{}, {"weight": 47.3}, {"delay": 0.5}, {"delay": 0.0}, {"delay": ns.uniform(0, 1)},
                                     {"delay": ns.uniform(0.1, 60.0)}], ids=str)  # fmt: skip
@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_synapses_deliver_what_they_show(precision: str, options: dict[str, Any], audit: bool) -> None:
    found = []
    weights: Any = None
    for name in (precision, "float32"):
        net, wires = _network(name, **{**options, **({} if weights is None else {"weight": weights})})
        weights = wires.weight.values
        sim = ns.Simulation(net, threads=2, audit=audit)
        sim.run("30 ms")
        wires.delay[wires.ids[:200]] = 0.4  # some spikes are under way, and none overtakes
        sim.run("30 ms")
        found.append((sim.spike_counts, net.populations["target"].i_exc.values.tobytes()))
    assert found[0] == found[1]
    assert found[0][0]["target"] > 0


def test_structural_rules_see_weights_in_their_unit() -> None:
    left = []
    for precision in ("float64", "int8"):
        net, wires = _network(precision, weight=ns.uniform(0.0, 60.0))
        if precision == "float64":
            wires.weight = np.floor(wires.weight.values * 4 + 0.5) / 4
        net.add_rule(ns.structure.prune_weak("st", below=20.0, every="5 ms"))
        ns.Simulation(net, threads=1).run("6 ms")
        assert 0 < wires.size < 1200
        assert wires.weight.values.min() >= 20.0 * (1 - 1e-12)
        left.append(wires.ids.tolist())
    assert left[0] == left[1]


# -- mistakes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"precision": "int4"}, UnknownName, "Did you mean 'int8'?"),
        ({"precision": "int8", "rounding": "random"}, UnknownName, "no rounding 'random'"),
        ({"precision": "int8", "bounds": {}}, UsageError, "as 256 levels between bounds; say which: bounds="),
        ({"precision": "ternary", "bounds": {}}, UsageError, "as three levels between bounds"),
        ({"precision": "int8", "bounds": {"weight": (1.0, 1.0005)}, "weight": 1.0}, UsageError, "a thousandth"),
        ({"precision": "float16", "bounds": {"weight": (1e-9, 2e-9)}, "weight": 1e-9}, UsageError, "hardly any number"),
        ({"precision": "float32", "rounding": "stochastic"}, UsageError, "is for float16, int8 and ternary"),
        ({"precision": "float16", "bounds": {}, "weight": 1e5}, UsageError, "too large to be kept"),
    ],
    ids=str,
)
def test_mistakes_are_told(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message.replace("(", r"\(").replace("?", r"\?")):
        _network(**options)


def test_scenarios_tell_the_same_mistakes(tmp_path: Path) -> None:
    plain = "weight: 0.1 mV, delay: 1 ms"
    [found] = mistakes(tmp_path, GOOD.replace(plain, f"{plain}, precision: int8"))
    assert "projections.ee" in found
    assert "256 levels between bounds" in found
    [found] = mistakes(tmp_path, GOOD.replace(plain, f"{plain}, precision: int16"))
    assert "projections.ee.precision" in found
    assert "int8" in found


# -- learning -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("precision", ["int8", "ternary", "float16"])
def test_small_steps_add_up_when_rounded_at_random_and_are_lost_when_rounded_to_the_nearest(precision: str) -> None:
    drift = {}
    for rounding in ("stochastic", "nearest"):
        net = ns.Network(seed=2, dt=1.0)
        source = net.add_population("source", 400, {"spike_list": {"times": [[5.0 * k for k in range(1, 401)]] * 400}})
        target = net.add_population("target", 1, "parrot")
        start = {"float16": 51.0, "int8": 100 * 130 / 255, "ternary": 50.0}[precision]  # can be kept
        wires = net.connect(source, target, "all_to_all", weight=start, delay=1.0, precision=precision,
                            rounding=rounding, bounds={"weight": (0.0, 100.0)},
                            learning=[{"name": "wear", "on_arrival": "weight += 1e-4*w_max"}])  # fmt: skip
        assert np.allclose(wires.weight.values, start, atol=1e-12)
        start = wires.weight.values
        ns.Simulation(net, threads=1).run("2100 ms")
        drift[rounding] = wires.weight.values - start
    steps = 400 * 1e-4 * 100.0  # 4: what float64 would have learned
    spacing = {"float16": 2.0**-5, "int8": 100 / 255, "ternary": 50.0}[precision]
    assert (drift["nearest"] == 0.0).all()
    error = np.sqrt(steps * spacing / 400)  # of the mean of 400 synapses, each the sum of rare steps of one spacing
    assert abs(drift["stochastic"].mean() - steps) < 4 * error
