"""Bad scenarios: every mistake is found, all at once, each with its line, what was found and what is allowed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from neurosim.errors import InvalidInput, ScenarioError, UsageError
from neurosim.scenario import load, run

GOOD = """\
name: small
seed: 1
dt: 0.1 ms
duration: 100 ms
populations:
  exc: {size: 40, model: {lif_delta: {tau_m: 20 ms}}, initial: {v: "uniform(0 mV, 20 mV)"}}
  inh: {size: 10, model: lif_delta}
  src: {size: 5, model: {poisson: {rate: 10 Hz}}}
groups:
  cue: {population: exc, first: 4}
inputs:
  drive: {poisson: {rate: 15 kHz}, to: [exc, inh], weight: 0.1 mV}
projections:
  ee: {from: exc, to: exc, connect: {fixed_probability: 0.1}, weight: 0.1 mV, delay: 1 ms}
  ia: {from: inh, to: [exc, inh], connect: {fixed_indegree: 2}, weight: -0.5 mV, delay: 1 ms}
protocol:
  - {at: 20 ms, set: {inputs.drive.rate: 16 kHz}, on: cue}
  - {when: "rate(exc, 100 ms) > 50 Hz", lesion: {population: exc, where: "v > 10 mV"}}
record:
  spikes: [exc]
  state: {exc: {variables: [v], every: 1 ms}}
expect:
  - {rate: exc, over: [0 ms, 50 ms], between: [0 Hz, 500 Hz]}
"""


def scenario(folder: Path, text: str = GOOD) -> Path:
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    """The problems of a scenario text as `LINE: path: message`."""
    with pytest.raises(ScenarioError) as caught:
        load(scenario(folder, text))
    lines = str(caught.value).splitlines()
    return [line.removeprefix(f"{folder / 'small.yaml'}:") for line in lines]


def test_the_good_one_is_good(tmp_path: Path) -> None:
    assert load(scenario(tmp_path)).name == "small"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # keys
        ("duration:", "duraton:", "4: duraton: unknown key 'duraton'."),
        ("{size: 40,", "{siez: 40,", "6: populations.exc.siez: unknown key 'siez'."),
        ("seed: 1", "seed: 1\nseed: 2", "3: duplicate key 'seed' (first on line 2)"),
        ("at: 20 ms,", "", "17: protocol.0: needs a time"),
        (", delay: 1 ms}\n  ia", "}\n  ia", "14: projections.ee.delay: is missing"),
        (", over: [0 ms, 50 ms], between: [0 Hz, 500 Hz]", "", "23: expect.0.between: is missing"),
        # values
        ("size: 40", "size: 0", "6: populations.exc.size: must be 1 or more, found 0"),
        ("size: 40", "size: many", "6: populations.exc.size: must be a whole number, found 'many'"),
        ("size: 40", "size: 1.5", "6: populations.exc.size: must be a whole number, found 1.5"),
        ("seed: 1", "seed: -1", "2: seed: must be 0 or more, found -1"),
        ("duration: 100 ms", "duration: -5 s", "4: duration: must be positive, found -5 s"),
        ("dt: 0.1 ms", "dt: 0.1 mV", "3: dt: must be a time"),
        ("duration: 100 ms", "duration: .inf", "4: duration: must be finite"),
        ("at: 20 ms", "at: -20 ms", "17: protocol.0.at: must be 0 or more, found -20 ms"),
        ("fixed_probability: 0.1", "fixed_probability: 1.5", "14: projections.ee.connect: a connection probability is"),
        (
            "weight: 0.1 mV, delay: 1 ms}\n  ia",
            "weight: 0.1 mV, delay: -1 ms}\n  ia",
            "14: projections.ee.delay: must be",
        ),
        ("delay: 1 ms}\n  ia", 'delay: "uniform(-1 ms, 2 ms)"}\n  ia', "14: projections.ee.delay: must be 0 or more"),
        ("delay: 1 ms}\n  ia", 'delay: "normal(1 ms, 1 ms)"}\n  ia', "14: projections.ee.delay: can become negative"),
        ("rate: 10 Hz", "rate: -10 Hz", "8: populations.src.model.poisson.rate: poisson.rate is -10 Hz"),
        ("rate: 15 kHz", "rate: -15 kHz", "12: inputs.drive.poisson.rate: must be 0 or more"),
        ("first: 4", "first: 41", "10: groups.cue.first: asks for 41 neurons, but exc has 40"),
        ("first: 4", "first: 4, last: 2", "10: groups.cue: must say which neurons in one way"),
        # units
        ("tau_m: 20 ms", "tau_m: 20 mV", "6: populations.exc.model.lif_delta.tau_m: lif_delta.tau_m must be a time"),
        ('"uniform(0 mV, 20 mV)"', '"uniform(0 mV, 20 ms)"', "6: populations.exc.initial.v:"),
        ("weight: 0.1 mV, delay", "weight: 0.1 pA, delay", "14: projections.ee.weight:"),
        ("[exc, inh], weight: 0.1 mV", "[exc, inh], weight: 20 MS", "12: inputs.drive.weight:"),
        ("rate: 16 kHz", "rate: 16 V", "17: protocol.0.set.inputs.drive.rate: must be a rate"),
        ("[0 Hz, 500 Hz]", "[0 Hz, 500 mV]", "23: expect.0.between: must be a rate"),
        # names
        ("from: exc, to: exc", "from: ecx, to: exc", "14: projections.ee.from: no population 'ecx'."),
        ("model: lif_delta}", "model: lif_dleta}", "7: populations.inh.model: no neuron model 'lif_dleta'."),
        ("tau_m: 20 ms", "taum: 20 ms", "6: populations.exc.model.lif_delta.taum: no parameter of lif_delta 'taum'"),
        ("initial: {v:", "initial: {w:", "6: populations.exc.initial.w: no state variable 'w' of lif_delta"),
        ("fixed_probability:", "fixed_probabilty:", "14: projections.ee.connect: no connector 'fixed_probabilty'"),
        ("to: exc, connect", "to: src, connect", "14: projections.ee.to: 'src' is a poisson, which takes no input"),
        ("on: cue", "on: queue", "17: protocol.0.on: no population or group 'queue'"),
        ("inputs.drive.rate", "inputs.drvie.rate", "17: protocol.0.set.inputs.drvie.rate: no input 'drvie'"),
        ("inputs.drive.rate", "dt", "17: protocol.0.set.dt: cannot be set during a run"),
        (
            "inputs.drive.rate: 16 kHz",
            "populations.exc.tau_m: 3 ms",
            "17: protocol.0.set.populations.exc.tau_m: `on` is for",
        ),
        ("rate(exc,", "rate(ecx,", "18: protocol.1.when: no name 'ecx'"),
        ("spikes: [exc]", "spikes: [exc, ihn]", "20: record.spikes.1: no population or group 'ihn'"),
        ("variables: [v]", "variables: [u]", "21: record.state.exc.variables.0: no state variable 'u' of lif_delta"),
        ("rate: exc, over", "rate: ex, over", "23: expect.0.rate: no population or group 'ex'"),
        ("  cue:", "  inh:", "10: groups.inh: the name 'inh' is taken: it stands in populations too"),
        ("  ee: {from", "  ia_exc: {from", "15: projections.ia: expands to 'ia_exc'"),
        ("  ee: {from", "  2e: {from", "14: projections.2e: a name is made of"),
        # expressions
        ('"v > 10 mV"', '"w > 10 mV"', "18: protocol.1.lesion.where:"),
        ('"v > 10 mV"', '"v > 10 ms"', "18: protocol.1.lesion.where:"),
        ('"v > 10 mV"', '"v + 1 mV"', "18: protocol.1.lesion.where: the expression must be a condition"),
        ('"v > 10 mV"', "\"__import__('os').system('true')\"", "18: protocol.1.lesion.where:"),
        ('"v > 10 mV"', '"9**9**9**9 > v"', "18: protocol.1.lesion.where:"),
        ('"rate(exc, 100 ms) > 50 Hz"', '"9**9**9**9 > 1"', "18: protocol.1.when:"),
        ('"rate(exc, 100 ms) > 50 Hz"', '"rate(exc, 100 mV) > 50 Hz"', "18: protocol.1.when:"),
        # windows
        ("[0 ms, 50 ms]", "[50 ms, 50 ms]", "23: expect.0: `over: [begin, end]` must end after it begins"),
        ("[0 Hz, 500 Hz]", "[500 Hz, 0 Hz]", "23: expect.0.between: the lower bound 500 is above the upper 0"),
        ("[0 Hz, 500 Hz]", "[0, 1, 2]", "23: expect.0.between: must have 2 entries, found 3"),
    ],
)
def test_one_mistake(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    found = mistakes(tmp_path, GOOD.replace(old, new, 1))
    assert any(line.startswith(expected) for line in found), found


@pytest.mark.parametrize(
    "line",
    [
        "checkpoint: {every: 10 s}",
        "populations: {exc: {from: network.h5, model: lif_delta}}",
    ],
)
def test_what_is_announced_is_refused_not_ignored(tmp_path: Path, line: str) -> None:
    text = f"duration: 1 s\n{line}\n" if line[0] == "p" else f"{GOOD}{line}\n"
    assert any("announced but not built yet" in problem for problem in mistakes(tmp_path, text))


def test_all_mistakes_at_once_in_order(tmp_path: Path) -> None:
    text = GOOD.replace("size: 40", "size: -1").replace("to: exc,", "to: ecx,").replace("on: cue", "on: queue")
    found = mistakes(tmp_path, text)
    assert [line.split(":")[0] for line in found] == ["6", "14", "17"]
    assert "Did you mean 'exc'?" in found[1]


def test_nearest_names_are_proposed(tmp_path: Path) -> None:
    assert "Did you mean 'duration'?" in mistakes(tmp_path, GOOD.replace("duration:", "duraton:"))[-1]
    assert "Did you mean 'first'?" in mistakes(tmp_path, GOOD.replace("first: 4", "frist: 4"))[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: a scenario is a mapping"),
        ("- 1\n- 2\n", "1: a scenario is a mapping"),
        ("a: [1, 2\nb: 3\n", "2: not valid YAML"),
        ("a: 1\n\tb: 2\n", "2: not valid YAML"),
        ("a: *nobody\n", "1: not valid YAML: found undefined alias 'nobody'"),
        ("a: &x [*x]\n", "1: an alias contains itself"),
        ("a: !!python/object/apply:os.system [id]\n", "1: "),
        ("a: 1\n---\nb: 2\n", "2: not valid YAML"),
        ("a: " + "[" * 5000 + "]" * 5000 + "\n", " nests too deeply"),
        ("populations: 5\nduration: 1 s\n", "1: populations: must be a mapping"),
        ("duration: 1 s\n", "1: needs `populations:`"),
    ],
)
def test_not_a_scenario(tmp_path: Path, text: str, expected: str) -> None:
    assert mistakes(tmp_path, text)[0].startswith(expected)


def test_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    began = time.perf_counter()
    found = mistakes(tmp_path, "\n".join(["a0: &a0 [x, x]", *levels]) + "\n")
    assert "aliases expand to more than" in found[0]
    assert time.perf_counter() - began < 5


def test_ten_megabytes_are_refused_before_parsing(tmp_path: Path) -> None:
    path = scenario(tmp_path, GOOD + "# more\n" * 1_500_000)
    began = time.perf_counter()
    with pytest.raises(InvalidInput, match=r"10\.5 MB is too large for a scenario \(at most 1 MB\)"):
        load(path)
    assert time.perf_counter() - began < 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        load(tmp_path / "nothing.yaml")
    with pytest.raises(InvalidInput, match="is a folder"):
        load(tmp_path)
    binary = tmp_path / "picture.yaml"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(InvalidInput, match="is not UTF-8 text"):
        load(binary)
    binary.write_bytes(b"name: a\0b\n")
    with pytest.raises(InvalidInput, match="is a binary file"):
        load(binary)
    binary.write_bytes(b"SQLite format 3\0" + bytes(100))
    with pytest.raises(InvalidInput, match="is a result file, not a scenario"):
        load(binary)
    with pytest.raises(InvalidInput, match=r"brunl: no such file\. Did you mean 'brunel'\?"):
        load("brunl")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("populations.ecx.size=3", "there is no 'ecx' in populations. Did you mean 'exc'?"),
        ("populations.exc.siez=3", "unknown key 'siez'"),
        ("populations.exc.size=-3", "must be 1 or more, found -3"),
        ("populations.exc.tau_m=3 mV", "lif_delta.tau_m must be a time"),
        ("protocol.7.at=3 ms", "'protocol' is a list with entries 0 to 1, found '7'"),
        ("dt.x=3", "'dt' is '0.1 ms', which has no 'x'"),
        ("inputs.drive.rate=[1", "not valid YAML"),
        ("sed=3", "unknown key 'sed'"),
    ],
)
def test_errors_of_overrides_name_the_flag(tmp_path: Path, setting: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(scenario(tmp_path), [setting])
    assert str(caught.value).startswith(f"--set {setting}: ")
    assert expected in str(caught.value)


def test_seed_and_duration_are_checked_like_the_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="--seed -1: seed: must be 0 or more"):
        load(scenario(tmp_path), seed=-1)
    with pytest.raises(ScenarioError, match="--duration 3 mV: duration: must be a time"):
        load(scenario(tmp_path), duration="3 mV")
    with pytest.raises(UsageError, match="write it as path=value"):
        load(scenario(tmp_path), ["nonsense"])


# -- graph files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("missing.graphml", None, "no such file"),
        ("net.txt", "1 2", "cannot read a graph from '.txt'"),
        ("net.graphml", "<graphml", "is not a valid .graphml graph file"),
        ("net.graphml", "", "is not a valid .graphml graph file"),
        ("net.json", '{"a": 1}', "is not a valid .json graph file"),
        ("net.csv", "a,b\n1,2\n", "needs a header with `source,target`"),
        ("net.csv", "source,target\n1,\n", "a line without source or target"),
        ("net.csv", "source,target\n", "holds a graph without nodes"),
        ("net.csv", "source,target,weight\n1,2,0.5\n", "projections.w.delay: is missing"),
        ("net.csv", "source,target,weight,delay\n1,2,0.5,-1\n", "'delay' holds a negative delay (-1 ms)"),
        ("net.csv", "source,target,weight,delay\n1,2,heavy,1\n", "weight must be a voltage"),
        ("net.csv", "source,target,weight,delay\n1,2,1,1\n2,1,-1,1\n", "has no one sign; name the receptor"),
    ],
)
def test_graph_files(tmp_path: Path, name: str, content: str | None, expected: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    text = f"""\
duration: 1 ms
populations: {{cells: {{from: {name}, model: lif_delta}}}}
projections: {{w: {{from: cells, to: cells, connect: {{graph: {name}}}}}}}
"""
    found = mistakes(tmp_path, text)
    assert any(expected in line for line in found), found


def test_results_that_cannot_be_written(tmp_path: Path) -> None:
    path = scenario(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        run(path, tmp_path / "nowhere" / "a.nsim")
    taken = tmp_path / "taken.nsim"
    taken.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        run(path, taken)
    assert taken.read_text() == "mine"
