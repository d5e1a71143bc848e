"""Learning rules as declarations: what is found where, binding in every unit, and errors that point at the place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rule_pair import Pair

import neurosim as ns
from neurosim.errors import ExpressionError, InvalidInput, NeurosimError, UnitError, UnknownName, UsageError
from neurosim.models.rule_equations import resolved
from neurosim.models.rules import BoundRule, ConfiguredRule, LearningRule, SynapseVariable, check_delays, check_together
from neurosim.units import parse_unit

BOUNDS = {"weight": (0.0, 10.0), "delay": (0.1, 10.0)}
LIBRARY = sorted(ns.learning.learning_rules())
TRACES = "dx/dt = -x/tau : 1 (pre)\ndy/dt = -y/tau : 1 (post)\nc : weight"
PARAMETERS = {"tau": "20 ms", "a": "0.1 mV"}


def own(**parts: Any) -> ConfiguredRule:
    return ns.learning.from_code(**({"equations": TRACES, "parameters": PARAMETERS} | parts))()


def bound(spec: Any, **bounds: tuple[float, float]) -> BoundRule:
    return ns.learning.rule(spec).bind("mV", bounds or BOUNDS)


# ---- the library -------------------------------------------------------------------------------


def test_the_library_has_what_is_promised() -> None:
    assert set(LIBRARY) == {
        "bcm", "benna_fusi", "clopath", "delay_alignment", "double_well", "dr_stdp", "ds_stdp", "hebb", "myelin", "oja",
        "reward_stdp", "stdp", "stdp_buffered", "stdp_multiplicative", "stdp_nearest", "stdp_nearest_reduced",
        "stdp_power_law", "synaptic_scaling", "tagging_and_capture", "triplet_stdp", "tsodyks_markram",
        "vogels_inhibitory",
    }  # fmt: skip
    for name in LIBRARY:
        assert isinstance(getattr(ns.learning, name), LearningRule)
    assert ns.learning.ds_stdp.writes_delay
    assert not ns.learning.stdp.writes_delay
    assert ns.learning.tsodyks_markram.has_dynamics
    assert not ns.learning.stdp_buffered.has_dynamics
    assert ns.learning.stdp_buffered.events == ("on_arrival", "on_post", "every")


@pytest.mark.parametrize("unit", ["mV", "pA", "nS", "mV/ms", ""])
@pytest.mark.parametrize("name", LIBRARY)
def test_every_rule_binds_in_every_unit(name: str, unit: str) -> None:
    rule = ns.learning.rule(name).bind(unit, BOUNDS, {"v": "mV"}, {"v": "mV"})
    assert rule.name == name
    assert set(rule.events) == set(ns.learning.rule(name).rule.events)
    assert rule.writes_delay == ns.learning.rule(name).writes_delay
    for variable in rule.variables:
        assert variable.unit in ("", unit, "mV")  # clopath keeps potentials
    for event, code in rule.events.items():
        more = {"on_modulator": {"amount"}, "clocked": {"v_post", "dt"}}.get(event, set())
        known = {*rule.constants, "weight", "delay", *more, *_own(rule)}
        for statement in code:
            assert statement.expression.names <= known
            known |= {statement.target} if statement.local else set()


def _own(rule: BoundRule) -> set[str]:
    return {v.name for v in rule.variables} | {t.name for t in rule.traces}


@pytest.mark.parametrize("name", LIBRARY)
def test_every_rule_says_what_it_is(name: str) -> None:
    rule = ns.learning.learning_rules()[name]
    assert rule.summary
    assert rule.source.startswith(("doi:10.", "arXiv:"))
    for parameter in rule.parameters:
        assert len(parameter.meaning) > 5
        parse_unit(resolved(parameter.unit, "mV"))
        if parameter.name.startswith(("tau", "period")):
            assert parameter.low is not None
    assert {line.name for line in rule.lines} - {"weight"} == {variable.name for variable in rule.variables}
    assert all(len(variable.meaning) > 5 for variable in rule.variables)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """One more folder where rules are found."""
    ns.learning.__path__.append(str(tmp_path))
    ns.learning.learning_rules.cache_clear()
    yield tmp_path
    ns.learning.__path__.remove(str(tmp_path))
    ns.learning.learning_rules.cache_clear()


def test_adding_a_rule_touches_one_file(folder: Path) -> None:
    (folder / "forgetting_for_tests.py").write_text(
        "from neurosim.models.rules import LearningRule\n"
        "RULE = LearningRule('forgetting_for_tests', every='weight *= 0.5', period='1 s')\n",
        encoding="utf-8",
    )
    assert isinstance(ns.learning.forgetting_for_tests, LearningRule)
    assert bound("forgetting_for_tests").period == 1000.0


# ---- reading -----------------------------------------------------------------------------------


def test_ways_to_write_a_rule_are_one() -> None:
    wanted = ns.learning.stdp(tau_plus=0.015)
    assert wanted.parameters["tau_plus"] == 0.015
    wanted = ns.learning.stdp(tau_plus="0.015 s")
    assert wanted.parameters == {"tau_plus": 15.0, "tau_minus": 20.0, "a_plus": 0.005, "a_minus": 0.00525}
    assert ns.learning.rule({"stdp": {"tau_plus": "15 ms"}}) == wanted
    assert ns.learning.rule(wanted) is wanted
    assert ns.learning.rule("stdp") == ns.learning.rule({"stdp": None}) == ns.learning.rule(ns.learning.stdp)
    in_place = {"equations": TRACES, "parameters": PARAMETERS, "on_post": "weight += a*x", "name": "mine"}
    assert ns.learning.rule(in_place) == ns.learning.from_code(**in_place)()
    assert [rule.name for rule in ns.learning.rules(["stdp", in_place])] == ["stdp", "mine"]
    assert ns.learning.rules(None) == ()
    assert ns.learning.rules("stdp") == (ns.learning.stdp(),)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("stpd", r"no learning rule 'stpd'\. Known: .* Did you mean 'stdp'\?"),
        ({"stpd": {}}, "Did you mean 'stdp'"),
        ({"stdp": {"tau_pus": 3}}, "no parameter of stdp 'tau_pus'.* Did you mean 'tau_plus'"),
        ({"stdp": {"tau_plus": "3 mV"}}, r"stdp\.tau_plus must be a time"),
        ({"stdp": {"tau_plus": 0}}, r"stdp\.tau_plus is 0 ms; allowed is 1e-06 ms or more"),
        ({"stdp": 3}, "written as {name: value}"),
        ({"on_arival": "weight *= 2"}, "no part of a learning rule 'on_arival'.* Did you mean 'on_arrival'"),
        ({"on_arrival": "weight *= 2", "peroid": "1 s"}, "Did you mean 'period'"),
        ({"equations": TRACES, "parameters": PARAMETERS}, "does nothing"),
        ({"on_post": 3}, "on_post must be a text"),
        ({"on_post": "weight *= 2", "parameters": ["a"]}, "written as {name: value}"),
        ({"on_post": "weight *= 2", "parameters": {"a": "3 mx"}}, "parameter a: no unit 'mx'"),
        ({"on_post": "weight *= 2", "parameters": {"dt": 3}}, "'dt' has a meaning of its own"),
        ({"on_post": "weight *= 2", "equations": "c : 1", "initial": {"d": 1}}, "no variable 'd' of learning rule"),
        ({}, "written as a name"),
        (3, "written as a name"),
    ],
)
def test_what_is_no_rule(spec: Any, message: str) -> None:
    with pytest.raises(NeurosimError, match=message) as found:
        ns.learning.rule(spec)
    assert isinstance(found.value, InvalidInput | UsageError)


def test_what_is_no_list_of_rules() -> None:
    with pytest.raises(InvalidInput, match="a list of rules"):
        ns.learning.rules(3)
    with pytest.raises(InvalidInput, match="'tsodyks_markram' and 'own' both say what a spike transmits"):
        ns.learning.rules(["tsodyks_markram", "stdp", {"transmit": "weight/2"}])
    check_together([ns.learning.tsodyks_markram(), ns.learning.stdp()])


def test_parameters_of_ones_own_have_the_unit_of_their_quantity() -> None:
    rule = own(parameters={"tau": "0.02 s", "a": "-1.5e-1 mV", "b": 3}, on_post="weight += a*b*x").rule
    found = [(p.name, p.default, p.unit) for p in rule.parameters]
    assert found == [("tau", 0.02, "s"), ("a", -0.15, "mV"), ("b", 3.0, "")]
    assert rule(tau="5 ms").parameters["tau"] == 0.005
    assert [t.rate for t in rule(tau="5 ms").bind("mV").traces] == pytest.approx([0.2, 0.2], rel=1e-15)


def test_an_attribute_that_is_no_rule() -> None:
    with pytest.raises(AttributeError, match="no rule 'stpd'; known: bcm"):
        _ = ns.learning.stpd


# ---- equations ---------------------------------------------------------------------------------


def test_equations_become_traces_and_variables() -> None:
    rule = ns.learning.from_code(
        equations="""
            dx/dt = -x/tau : 1 (pre)       # a comment; with a semicolon
            dy/dt = -2*y/tau : 1 (post, nearest); dn/dt = 0*n/tau : 1 (pre)
            dR/dt = (1 - R)/tau : 1
            dc/dt = -(c - 2*w_0)/(3*tau) - c/tau : weight
            sd : weight/ms
        """,
        on_post="sd += x*y*n*R*c/tau",
        parameters={"tau": "20 ms", "w_0": "3 mV"},
        initial={"R": 1, "c": "w_0 - weight/2", "sd": "-0.5 mV/ms"},
    )
    bound = rule().bind("mV")
    assert [(t.name, t.side, t.nearest, t.rate) for t in bound.traces] == [
        ("x", "pre", False, 0.05), ("y", "post", True, 0.1), ("n", "pre", False, 0.0),
    ]  # fmt: skip
    variables = {v.name: v for v in bound.variables}
    assert (variables["R"].rate, variables["R"].target, variables["R"].unit) == (0.05, 1.0, "")
    assert variables["c"].rate == pytest.approx(1 / 60 + 1 / 20)
    assert variables["c"].target == pytest.approx(6.0 / 4)
    assert (variables["sd"].rate, variables["sd"].unit) == (None, "mV/ms")
    values = {"weight": 8.0, "delay": 1.0, **bound.constants}
    assert [v.initial.evaluate(values) for v in bound.variables] == [1.0, -1.0, -0.5]


@pytest.mark.parametrize(
    ("equations", "message", "place"),
    [
        ("dx/dt = -x/tau", "ends with its unit", None),
        ("dx/dt = -x/tau : 1 (pre", r"there may be \(pre\)", None),
        ("dx/dt = -x/tau : (pre)", "the unit is missing", None),
        ("dx/dt = -x/tau : 1 (pree)", "no flag 'pree'.* Did you mean 'pre'", None),
        ("dx/dt = -x/tau : mx (pre)", "no unit 'mx'", "mx"),
        ("c : 1\ndx/dt = -x/tua : 1 (pre)", "no name 'tua'.* Did you mean 'tau'", "tua"),
        ("dx/dt = -x**2/tau : 1 (pre)", "must be linear in x", "**"),
        ("dx/dt = -exp(x)/tau : 1", "must be linear in x", "exp"),
        ("dx/dt = tau/x/tau**2 : 1", "must be linear in x", "/x"),
        ("dx/dt = x/tau : 1 (pre)", "grow without bound", "x/tau"),
        ("dx/dt = 1/tau : 1", "drift without bound", "1/tau"),
        ("dx/dt = (1 - x)/tau : 1 (post)", "fades to 0", None),
        ("dx/dt = -x/tau : mV (post)", "a trace is a plain number", None),
        ("dx/dt = -x : 1 (pre)", r"must be a rate \(1/ms\)", None),
        ("dx/dt = -x/tau/0 : 1 (pre)", "not finite", None),
        ("dx/dt = -x/(tau - tau) : 1 (pre)", "is not finite", None),
        ("dx/dt = -x/tau : 1\ndc/dt = (x - c)/tau : 1", "'x' changes with time", "x - c"),
        ("dx/dt = -delay*x/tau**2 : 1", "'delay' changes with time", "delay"),
        ("c : 1\nc : mV", "'c' has two equations", None),
        ("c = v_post : mV", "marked .captured.", None),
        ("c : 1 (captured)", "mark", None),
        ("dx/dt = -x/tau : 1 (nearest)", "mark", None),
        ("dx/dt = -x/tau : 1 (pre, post)", "mark", None),
        ("weight : 1", "'weight' has a meaning of its own", None),
        ("exp : 1", "'exp' has a meaning of its own", None),
        ("_c : 1", "cannot be a name", None),
        ("c d : 1", "cannot be a name", None),
        ("tau : 1", "a parameter and a variable", None),
        ("dx/dt = -x/tau : 1\n" * 3000, "allowed are 10000", None),
    ],
)
def test_equations_that_cannot_be(equations: str, message: str, place: str | None) -> None:
    with pytest.raises(InvalidInput, match=message) as found:
        own(equations=equations, on_post="weight *= 2")
    if place:
        line, caret = str(found.value).splitlines()[-2:]
        assert line[caret.index("^") :].startswith(place)


def test_a_trace_whose_time_constant_does_not_fit_its_parameter() -> None:
    rule = own(parameters={"tau": "20 ms", "a": "0.1 mV"}, on_post="weight += a*x").rule
    with pytest.raises(ExpressionError, match="grow without bound"):
        rule(tau=-3.0).bind("mV")


# ---- code --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "message", "place"),
    [
        ({"on_post": "weight += a*xx"}, r"learning rule 'own', on_post: no name 'xx'.* Did you mean 'x'", "xx"),
        ({"on_post": "c += a\nweight += tau"}, "line 2: the expression must be .*found a time", "tau"),
        ({"on_arrival": "x = 0"}, "'x' cannot be changed here. What can be: c, delay, weight|weight, delay, c", "x"),
        ({"on_arrival": "c += a; tau = 0 ms"}, "'tau' cannot be changed here", "tau"),
        ({"on_arrival": "w_max = 3 mV; weight = w_max"}, "'w_max' cannot be changed here", "w_max"),
        ({"on_arrival": "wieght += a"}, "no variable 'wieght'.* Did you mean 'weight'", "wieght"),
        ({"on_post": "weight += a*t/tau"}, "Rules do not know the time", "t/"),
        ({"on_post": "weight += a*amount"}, "Only on_modulator has an amount", "amount"),
        ({"on_post": "weight += __import__('os')"}, "unexpected", "'os"),
        ({"on_post": "weight = x.real"}, "Attributes are not part", "."),
        ({"on_post": "weight += a*9**9**9**9"}, "not a finite number", "**"),
        ({"transmit": "weight > a"}, "the expression must be in mV, it is a truth value", ">"),
        ({"transmit": "3 ms"}, "found a time", "3 ms"),
        ({"transmit": "weight*xx"}, "transmit: no name 'xx'", "xx"),
        ({"on_emission": "weight += a", "initial": {"c": "a*zz"}}, "initial value of c: no name 'zz'", "zz"),
        ({"on_emission": "weight += a", "initial": {"c": "3 ms"}}, "initial value of c: .*found a time", "3 ms"),
        ({"on_modulator": "c += a*amount"}, "modulator, the signal's name, is missing", None),
        ({"on_post": "weight += a", "modulator": "dopamine"}, "on_modulator .or a trace .* is missing", None),
        ({"every": "weight *= 2"}, "period, how often it is done, is missing", None),
        ({"on_post": "weight *= 2", "period": "1 s"}, "every, what is done then, is missing", None),
        ({"on_post": "weight += a*x\n" * 100_000}, "allowed are 10000", None),
        ({"on_post": "# " + "x" * 1_000_000}, "allowed are 10000", None),
        ({"on_post": "weight += a" + "+a" * 4000}, "too long", None),
        ({"on_post": "weight += " + "(" * 3000 + "a" + ")" * 3000}, "deep|too long|nest", None),
    ],
)
def test_code_that_cannot_be(parts: dict[str, Any], message: str, place: str | None) -> None:
    begin = time.perf_counter()
    with pytest.raises(InvalidInput, match=message) as found:
        own(**parts)
    assert time.perf_counter() - begin < 1.0
    if place:
        line, caret = str(found.value).splitlines()[-2:]
        assert line[caret.index("^") :].startswith(place)


def test_a_rule_in_the_wrong_unit_is_found_when_it_is_bound() -> None:
    rule = own(on_post="weight += a*x")
    rule.bind("mV")
    with pytest.raises(ExpressionError, match=r"on_post: the expression must be a conductance \(nS\), found a voltage"):
        rule.bind("nS")
    with pytest.raises(UnitError, match=r"stdp_power_law\.w_0 must be a current"):
        ns.learning.stdp_power_law(w_0="3 mV").bind("pA")


def test_units_are_converted_in_the_trees() -> None:
    rule = own(on_post="weight += a*x", parameters={"tau": "20 ms", "a": "0.1 mV"})
    assert Pair(rule.bind("uV"), weight=0.0).play([0.0], [0.0]).weight == pytest.approx(100.0)


def test_bounds_that_are_not_declared() -> None:
    with pytest.raises(ExpressionError, match="'stdp', on_arrival: w_max is a bound of the projection's w") as found:
        ns.learning.stdp().bind("mV", {"delay": (1.0, 2.0)})
    line, caret = str(found.value).splitlines()[-2:]
    assert line[caret.index("^") :].startswith("w_max")
    with pytest.raises(ExpressionError, match="d_max is a bound of the projection's delays"):
        own(transmit="weight*delay/d_max").bind("mV", {"weight": (0.0, 1.0)})
    assert bound("stdp").constants["w_max"] == 10.0
    assert "w_min" not in bound("stdp").constants


def test_delays_that_learn_need_bounds() -> None:
    with pytest.raises(ExpressionError, match="delays that learn need declared bounds"):
        ns.learning.ds_stdp().bind("mV", {"weight": (0.0, 1.0)})
    for rules in ([ns.learning.stdp(), ns.learning.ds_stdp()], [bound("ds_stdp")]):
        check_delays(rules, (0.1, 3.0), 0.1)
        with pytest.raises(UsageError, match=r"ee: delays that learn \('ds_stdp'\) .*one time step of 0\.1 ms"):
            check_delays(rules, (0.05, 3.0), 0.1, "ee")
        with pytest.raises(UsageError, match="'ds_stdp' writes delays, which need bounds"):
            check_delays(rules, None, 0.1)
    check_delays([ns.learning.stdp()], None, 0.1)


def test_periods() -> None:
    assert bound({"every": "weight *= 2", "period": "2 s"}).period == 2000.0
    assert bound({"every": "weight *= 2", "period": 5}).period == 5.0
    assert bound({"every": "weight *= 2", "period": "T", "parameters": {"T": "0.2 s"}}).period == 200.0
    assert bound({"stdp_buffered": {"period": "10 ms"}}).period == 10.0
    assert bound("stdp").period is None
    for wrong in ("0 ms", "-1 s", "3 mV", "soon"):
        with pytest.raises(NeurosimError, match="period"):
            bound({"every": "weight *= 2", "period": wrong})


def test_captured_and_clocked_code_reads_neurons() -> None:
    rule = own(
        equations="theta = v_post - u_post/(1 ms)*tau : mV (captured)\nc : weight",
        on_post="weight += 0.1*theta", clocked="c += 0.1*(v_post - v_pre)", parameters={"tau": "2 ms"},
    )  # fmt: skip
    settled = rule.bind("mV", {}, {"v": "mV"}, {"v": "mV", "u": "mV"})
    assert [name for name, _ in settled.captures] == ["theta"]
    assert settled.events["clocked"][0].expression.names == {"v_pre", "v_post"}
    with pytest.raises(ExpressionError, match="equations: no name 'u_post'"):
        rule.bind("mV", {}, {"v": "mV"}, {"v": "mV"})
    with pytest.raises(ExpressionError, match="clocked: no name 'v_pre'"):
        rule.bind("mV", {}, {}, {"v": "mV", "u": "mV"})
    with pytest.raises(ExpressionError, match="'theta' is captured when the target fires, so only on_post reads it"):
        own(equations="theta = v_post : mV (captured)", on_arrival="weight += theta")
    with pytest.raises(ExpressionError, match="read by clocked code and by"):
        own(on_arrival="weight += 0.1*v_post").bind("mV", {}, {}, {"v": "mV"})


def test_a_declaration_must_agree_with_its_equations() -> None:
    code = {"equations": "c : weight", "on_post": "weight += c"}
    LearningRule("own", **code, variables=(SynapseVariable("c", "weight", "a change"),))
    with pytest.raises(UnknownName, match="'d'"):
        LearningRule("own", **code, variables=(SynapseVariable("d", "weight", "a change"),))
    with pytest.raises(InvalidInput, match="the unit of 'c' is 'weight'"):
        LearningRule("own", **code, variables=(SynapseVariable("c", "ms", "a change"),))


@pytest.mark.parametrize(
    ("unit", "weight", "wanted"),
    [
        ("weight", "mV/ms", "mV/ms"), ("weight/ms", "mV", "mV/ms"), ("1/weight", "mV/ms", "ms/mV"),
        ("weight^2", "nS", "nS^2"), ("ms*weight", "mV/ms", "mV"), ("weight*ms", "", "ms"), ("weight/weight", "pA", ""),
        ("1", "mV", ""), ("s", "mV", "s"),
    ],
)  # fmt: skip
def test_units_in_terms_of_the_weight(unit: str, weight: str, wanted: str) -> None:
    assert parse_unit(resolved(unit, weight)) == parse_unit(wanted)


def test_delays_may_be_edited_where_no_synapse_was_born_or_died_yet() -> None:
    def weights(edited: bool) -> list[float]:
        net = ns.Network(seed=1, dt=0.1)
        out = net.add_population("out", 40, "lif_delta", initial={"v": "uniform(0 mV, 20 mV)"})
        net.add_input("drive", ns.inputs.poisson("9 kHz"), out, weight="0.5 mV")
        pairs = ns.connectors.pairs(np.repeat(out.ids, 8), np.tile(out.ids, 8))
        delay = np.where(np.arange(320) < 9, 2.0, 1.0 + np.arange(320) % 7 / 10)
        given = np.where(np.arange(320) < 9, 0.7, delay) if edited else delay
        wires = net.connect(out, out, pairs, weight=0.5, delay=given, bounds={"weight": (0.0, 2.0)}, learning=["stdp"])
        sim = ns.Simulation(net)
        if edited:
            wires.delay[wires.ids[:9]] = 2.0
        sim.run("80 ms")
        assert sim.spike_counts["out"] > 50
        return [float(w) for w in wires.weight[wires.ids]]

    assert weights(edited=True) == weights(edited=False)
