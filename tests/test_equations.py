"""Equations are read as they are meant, and what is wrong in them is shown where it stands."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neurosim as ns
from neurosim.engine.neurons import code
from neurosim.errors import InvalidInput, NeurosimError
from neurosim.expressions import parse
from neurosim.expressions.tree import Node, evaluate
from neurosim.models import from_equations, neuron_models
from neurosim.models.algebra import REST, affine, collected, names_in
from neurosim.models.equations import RESERVED, read_equations

LEAK = {"tau": "20 ms", "e_l": "-65 mV"}


def test_all_kinds_of_lines() -> None:
    text = """
    # a membrane
    dv/dt = (e_l - v)/tau + i_syn +
            drive) : mV (unless refractory)   # goes on, the parenthesis below is open
    """.replace("(e_l - v)/tau +", "((e_l - v)/tau +")
    text += "drive = k*w : mV/ms\ni_syn : mV/ms\ndw/dt = -w/tau + 2*sqrt(1/tau)*xi_w : 1\n"
    read = read_equations(text, {"tau": "ms", "e_l": "mV", "k": "mV/ms"}, "m")
    assert read.state == {"v": "mV", "w": "", "i_syn": "mV/ms"}
    assert [equation.held for equation in read.differentials] == [True, False]
    assert [part.name for part in read.subexpressions] == ["drive"]
    assert read.noises == ("xi_w",)
    assert read.differentials[0].text.startswith("dv/dt = ((e_l - v)/tau + i_syn + drive)")


def test_subexpressions_come_after_what_they_read() -> None:
    read = read_equations("a = 2*b : 1\nb = 3*c + c : 1\nc = x0 : 1\nd = a : 1", {"x0": ""}, "m")
    assert [part.name for part in read.subexpressions] == ["c", "b", "a", "d"]


BAD = {
    "dv/dt = (e_l - v)/tauu : mV": r"no name 'tauu'.*Did you mean 'tau'",
    "dv/dt = (e_l - v)*tau : mV": r"must be.*mV/ms",
    "dv/dt = -v/tau": r"the unit of v is missing",
    "dv/dt = -v/tau : mVolt": r"no unit 'mVolt'",
    "dv/dt = -v/tau : mV (unless refactory)": r"no flag 'unless refactory'.*Did you mean 'unless refractory'",
    "dv/dt = -v/tau : mV unless refractory": r"cannot read the unit|no unit",
    "v := 3": r"no unit|missing|cannot read",
    "v += 3 : mV": r"write an equation as",
    "dv/dt = -v/tau : mV\nv : mV": r"line 2: 'v' is defined already",
    "tau = 3 ms : ms": r"'tau' is a parameter already",
    "dx/dt = -x/tau : 1": r"'x' has a meaning of its own",
    "dexp/dt = -exp/tau : 1": r"'exp' is a function",
    "da__b/dt = -a__b/tau : 1": r"two underscores",
    "a = b : 1\nb = c : 1\nc = a : 1": r"in a circle: a → b → c → a",
    "a = a : 1": r"in a circle: a → a",
    "dv/dt = -v/tau + v*xi**2 : mV": r"the noise in dv/dt must be a factor of a term",
    "dv/dt = -v/tau + v*sqrt(xi*xi/ms) : mV": r"the noise in dv/dt must be a factor of a term",
    "dv/dt = v.__class__/tau : mV": r"Attributes are not part",
    "dv/dt = -v/(tau - tau : mV": r"expected '\)'|ends too early",
    "dτ/dt = 1/ms : 1": r"letters \(a to z\)",
}


@pytest.mark.parametrize("text", BAD, ids=str)
def test_mistakes_are_shown_where_they_are(text: str) -> None:
    with pytest.raises(InvalidInput, match=BAD[text]) as caught:
        from_equations(text, parameters=LEAK, name="mine")
    assert "mine" in str(caught.value)
    assert "^" in str(caught.value)


def test_the_caret_stands_below_the_unknown_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        from_equations("dv/dt = -v/tau : mV\ndw/dt = (v - w)/tow : mV\n", parameters=LEAK, name="mine")
    message, line, caret = str(caught.value).splitlines()
    assert message.startswith("mine, line 2: no name 'tow'")
    assert line[caret.index("^") :].startswith("tow")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"threshold": "v > 3"}, None),
        ({"threshold": "v + 3 mV"}, r"threshold.*condition"),
        ({"threshold": "v > v_th"}, r"no name 'v_th'"),
        ({"threshold": "random() < 0.1"}, r"no function 'random'.*Did you mean 'rand'"),
        ({"reset": "u = 3"}, r"'u' is set here, but nothing reads it"),
        ({"reset": "v += 3 ms"}, r"reset.*must be a voltage"),
        ({"reset": "tau = 3 ms"}, r"'tau' cannot be changed here"),
        ({"refractory": "2"}, None),
        ({"refractory": "v/tau"}, r"refractory: no name 'v'"),
        ({"method": "rk45"}, r"no method 'rk45'.*Did you mean 'rk4'"),
        ({"initial": {"v": "e_l + 1"}}, None),
        ({"initial": {"v": "tau"}}, r"initial v.*must be a voltage"),
        ({"initial": {"u": 0}}, r"no variable 'u'"),
        ({"receptors": {"exc": "i"}}, r"no variable 'i'.*receptor exc"),
        ({"parameters": {"tau": "20 msec", "e_l": 0}}, r"mine\.tau: no unit 'msec'"),
        ({"parameters": {"tau": [1, 2], "e_l": 0}}, r"mine\.tau: give one value"),
        ({"parameters": {"tau": "0 ms", "e_l": "0 mV"}}, r"dv/dt = .* at the start.*tau = 0.*division by zero"),
    ],
    ids=str,
)
def test_the_rest_of_a_model_is_checked_too(change: dict[str, Any], match: str | None) -> None:
    given: dict[str, Any] = {"equations": "dv/dt = (e_l - v)/tau : mV", "parameters": LEAK, "name": "mine", **change}
    if match is None:
        from_equations(**given)
        return
    with pytest.raises(NeurosimError, match=match) as caught:
        from_equations(**given)
    assert "mine" in str(caught.value)


def test_what_is_held_needs_a_time() -> None:
    with pytest.raises(InvalidInput, match="v is held while refractory, but no refractory time"):
        from_equations("dv/dt = -v/tau : mV (unless refractory)", parameters=LEAK)


@pytest.mark.parametrize(
    ("equation", "why"),
    [("dv/dt = -v**2/tau/mV : mV", "is not linear"), ("dv/dt = -v*t/tau**2 : mV", "depends on time"),
     ("dv/dt = -v/tau + v*xi*sqrt(1/tau) : mV", "has noise that is not additive")],
)  # fmt: skip
def test_without_an_exact_solution_a_method_must_be_named(equation: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=rf"dv/dt {why}.*Choose a method: euler, exponential_euler, rk2, rk4"):
        from_equations(equation, parameters=LEAK)
    from_equations(equation, parameters=LEAK, method="euler")


def test_exponential_euler_needs_each_variable_linear_in_itself() -> None:
    with pytest.raises(InvalidInput, match="dv/dt is not linear in v"):
        from_equations("dv/dt = -v**2/tau/mV : mV", parameters=LEAK, method="exponential_euler")
    from_equations("dv/dt = -v*w/tau : mV\ndw/dt = (v/mV - w*v**2/mV**2)/tau : 1", parameters=LEAK,
                   method="exponential_euler")  # fmt: skip


def test_huge_texts_are_refused_at_once() -> None:
    for text in ("dv/dt = -v/tau : mV\n" * 2000, "a = 1 : 1\n" * 50_000, "dv/dt = " + "(" * 5000 + "v : mV"):
        with pytest.raises(InvalidInput):
            from_equations(text, parameters=LEAK)


@pytest.mark.parametrize("method", ["", "rk4", "exponential_euler"])
@pytest.mark.parametrize("begin", ["p", "v", "xi*sqrt(1 ms)", "tau/ms"])
def test_lines_that_double_are_refused_or_cheap(method: str, begin: str) -> None:
    doubling = "".join(f"a{k + 1} = a{k} + a{k} : 1\n" for k in range(150))
    text = f"dv/dt = (a150 - v)/tau : 1\na0 = {begin} : 1\n{doubling}"
    said = ""
    try:
        code(from_equations(text, parameters={**LEAK, "p": 1e-60}, method=method))
    except InvalidInput as error:
        said = str(error)
    assert not said or "grow out of all bounds" in said or "is nan" in said


def test_every_model_of_the_library_is_sound() -> None:
    for model in neuron_models().values():
        assert model.dynamics.owner == model.name
        gated = {name for name, receptor in model.receptors.items() if receptor.gated}
        assert gated == {name for name, receptor in model.receptors.items() if receptor.variable in model.dynamics.held}


def test_names_of_populations_are_not_taken() -> None:
    """A variable that is also an attribute of populations could not be read."""
    population = ns.Network().add_population("p", 1, "lif_delta")
    public = {name for name in {*dir(population), *vars(population)} if not name.startswith("_")}
    assert public <= RESERVED


def test_the_unit_of_injected_currents_is_found() -> None:
    for term, unit in (("i_stim/c", "pA"), ("i_stim", "mV/ms"), ("i_stim/tau", "mV")):
        model = from_equations(f"dv/dt = -v/tau + {term} : mV", parameters={"tau": "20 ms", "c": "200 pF"})
        assert model.drive_unit == unit
    assert from_equations("dv/dt = -v/tau : mV", parameters=LEAK).drive_unit is None


# -- algebra ----------------------------------------------------------------------------------------------

SYMBOLS = {"a": "", "b": "", "p": "", "q": ""}
_leaves = st.sampled_from(["a", "b", "p", "q", "2", "0.5", "3"])
_formulas = st.recursive(
    _leaves,
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
    | inner.map(lambda t: f"(-{t})") | inner.map(lambda t: f"exp(0.01*{t})"),
    max_leaves=12,
)  # fmt: skip
_values = st.fixed_dictionaries({name: st.floats(0.5, 4.0) for name in SYMBOLS})


def _tree(text: str) -> Node | None:
    try:
        return parse(text, SYMBOLS).tree
    except InvalidInput:  # a constant part that is not finite
        return None


def _close(x: Any, y: Any, scale: float) -> bool:
    return not np.isfinite(x) or bool(np.isclose(x, y, rtol=1e-9, atol=1e-9 * scale))


@given(text=_formulas, values=_values)
def test_constants_brought_together_change_no_value(text: str, values: dict[str, float]) -> None:
    tree = _tree(text)
    if tree is None:
        return
    gathered = collected(tree, lambda node: names_in(node) <= {"p", "q"})
    with np.errstate(all="ignore"):
        size = max(abs(float(evaluate(tree, values | {"a": k}))) for k in (values["a"], 1.0, 2.0))
        assert _close(evaluate(tree, values), evaluate(gathered, values), size)


@given(text=_formulas, values=_values)
def test_coefficients_add_up_to_the_whole(text: str, values: dict[str, float]) -> None:
    tree = _tree(text)
    parts = None if tree is None else affine(tree, {"a", "b"})
    if tree is None or parts is None:
        return
    assert all(names_in(part) <= {"p", "q"} for part in parts.values())
    with np.errstate(all="ignore"):
        terms = [evaluate(part, values) * (1.0 if name == REST else values[name]) for name, part in parts.items()]
        assert _close(evaluate(tree, values), sum(terms), max((abs(term) for term in terms), default=0.0))


def test_constant_factors_come_out_as_one() -> None:
    tree = collected(parse("p*a/q*2", SYMBOLS).tree, lambda node: names_in(node) <= {"p", "q"})
    from neurosim.expressions.source import source

    assert re.sub(r"\s", "", source(tree, {name: name for name in SYMBOLS})) == "a*(p*2.0/q)"
