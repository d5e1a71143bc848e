"""``neurosim new`` writes scenarios that check and run, and overwrites nothing; compiling is shown on a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from shell import folder, neurosim, only_json

from neurosim import compiled, scenarios
from neurosim.cli import _progress
from neurosim.cli._starter import STARTER

__all__ = ["folder"]  # fixtures


def test_the_starter_checks_runs_and_holds(folder: Path) -> None:
    outcome = neurosim("new", "mine")
    assert outcome.exit_code == 0
    for line in ("wrote mine.yaml", "neurosim check mine.yaml", "neurosim run mine.yaml", "neurosim plot mine.nsim"):
        assert line in outcome.stdout
    assert neurosim("check", "mine.yaml").exit_code == 0
    summary = only_json(neurosim("run", "mine.yaml", "--json"))
    assert summary["scenario"] == "mine"
    assert [outcome["status"] for outcome in summary["expect"]] == ["held"]
    assert Path("mine.nsim").exists()


def test_the_model_in_its_comments_is_right(folder: Path) -> None:
    text = STARTER.replace("{name}", "mine")
    begin, end = text.index("  # own:"), text.index("groups:")
    block = re.sub(r"^  # ", "  ", text[begin:end], flags=re.MULTILINE)
    Path("mine.yaml").write_text(text[:begin] + block + text[end:], encoding="utf-8")
    outcome = neurosim("check", "mine.yaml")
    assert outcome.exit_code == 0, outcome.stderr
    assert "510 neurons" in outcome.stdout


def test_nothing_is_overwritten(folder: Path) -> None:
    before = Path("small.yaml").read_text(encoding="utf-8")
    for name in ("small", "small.yaml"):
        outcome = neurosim("new", name)
        assert outcome.exit_code == 2
        assert "small.yaml exists already" in outcome.stderr
    Path("ring_of_communities.graphml").write_text("mine", encoding="utf-8")
    outcome = neurosim("new", "ring", "--from", "from_graph")
    assert "ring_of_communities.graphml exists already" in outcome.stderr
    assert not Path("ring.yaml").exists()
    assert Path("small.yaml").read_text(encoding="utf-8") == before


@pytest.mark.parametrize("example", scenarios.names())
def test_every_example_can_be_copied(folder: Path, example: str) -> None:
    assert neurosim("new", "mine", "--from", example).exit_code == 0
    text = Path("mine.yaml").read_text(encoding="utf-8")
    original = scenarios.path(example).read_text(encoding="utf-8")
    assert "name: mine" in text
    assert f"{example}.nsim" not in text
    assert len(text.splitlines()) == len(original.splitlines())
    outcome = neurosim("check", "mine.yaml")
    assert outcome.exit_code == 0, outcome.stderr


def test_a_graph_comes_with_its_scenario(folder: Path) -> None:
    Path("inside").mkdir()
    outcome = neurosim("new", "inside/ring", "--from", "from_graph.yaml")
    assert "inside/ring_of_communities.graphml" in outcome.stdout
    assert {path.name for path in Path("inside").iterdir()} == {"ring.yaml", "ring_of_communities.graphml"}
    assert neurosim("new", "inside/again", "--from", "from_graph").exit_code == 0  # the same graph lies there


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "NAME"),
        (["a", "--from", "brunnel"], 3, "Did you mean 'brunel'?"),
        (["none/a"], 2, "there is no folder none"),
        (["1st"], 2, "begins with a letter"),
        (["a: b"], 2, "begins with a letter"),
        (["-x"], 2, "-x"),
    ],
)
def test_mistakes(folder: Path, arguments: list[str], code: int, said: str) -> None:
    outcome = neurosim("new", *arguments)
    assert outcome.exit_code == code
    assert said in outcome.stderr
    assert [path.name for path in folder.iterdir()] == ["small.yaml"]


def test_the_examples_are_listed() -> None:
    listed = neurosim("new", "--list").stdout
    assert all(name in listed for name in scenarios.names())


# ---- compiling is shown --------------------------------------------------------------------------


class _Bar:
    def __init__(self) -> None:
        self.facts: list[str] = []

    def update(self, task: object, **fields: str) -> None:
        self.facts.append(fields["facts"])


def test_compiling_is_shown_with_the_kernels_name() -> None:
    progress = _progress.RunProgress()
    progress.compiling("driver.drive")  # no bar, no words
    bar = _Bar()
    progress._bar, progress._task = bar, 0  # type: ignore[assignment]
    progress.compiling("learning_stdp_0123456789abcdef.deliver")
    assert bar.facts == ["compiling learning_stdp.deliver … (2, once only)"]


def test_nobody_listens_after_a_run_or_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(compiled.before_compiling)
    with _progress.RunProgress():
        assert compiled.before_compiling == before
    monkeypatch.setenv("FORCE_COLOR", "1")  # makes rich take the stream for a terminal
    with _progress.RunProgress() as progress:
        assert compiled.before_compiling == [*before, progress.compiling]
    assert compiled.before_compiling == before
