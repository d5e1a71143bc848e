"""The server of the live view: what viewers ask for, what they cannot break, and that the run stays what it was."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import NeurosimError, UsageError
from neurosim.viz.live.server import Server
from neurosim.viz.live.show import ReplayShow
from tests.shell import neurosim
from tests.watched import SMALL, Viewer, look, socket_url, watched


@pytest.fixture(scope="module", autouse=True)  # so that what must be compiled is, before anybody waits for answers
def plain(tmp_path_factory: pytest.TempPathFactory) -> ns.Result:
    """The same run, unwatched."""
    path = tmp_path_factory.mktemp("plain") / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return ns.run(path, path.with_suffix(".nsim"))


async def _watch_a_while(viewer: Viewer, frames: int = 5) -> None:
    await viewer.until(lambda said: len(viewer.frames) >= frames)


# ---- the run stays what it was --------------------------------------------------------------------------------


def test_a_watched_run_has_the_same_hash(tmp_path: Path, plain: ns.Result) -> None:
    with watched(SMALL, tmp_path, speed=0.4) as run:
        look(run.server, _watch_a_while)
        result = run.wait()
    assert result.summary["hash"] == plain.summary["hash"]


def test_viewers_that_vanish_flood_and_stall_change_no_spike(tmp_path: Path, plain: ns.Result) -> None:
    """Twenty viewers: some are killed, some send rubbish, some never say that they have shown anything."""

    async def crowd() -> None:
        async with aiohttp.ClientSession() as session:
            sockets = [await session.ws_connect(socket_url(run.server)) for _ in range(20)]
            viewers = [Viewer(one) for one in sockets]
            await asyncio.gather(*(viewer.until(lambda said: said.get("kind") == "scene") for viewer in viewers[:8]))
            for one in sockets[8:12]:  # killed: no goodbye
                one._writer.transport.abort()  # type: ignore[attr-defined]
            for one in sockets[12:16]:
                for text in ("", "{", "[1]", '"x"', '{"do": 3}', '{"do":"set"}', '{"do":"lesion","neurons":"all"}'):
                    await one.send_str(text)
                await one.send_bytes(b"\0" * 1000)
                await one.send_str('{"do":"set","path":"inputs.drive.rate","value":"fast"}')
            await sockets[16].send_str("x" * 100_000)  # more than is listened to: this one is shown the door
            await asyncio.gather(*(_watch_a_while(viewer, 6) for viewer in viewers[:8]))
            for one in sockets:
                await one.close()

    with watched(SMALL, tmp_path, speed=0.2) as run:
        asyncio.run(crowd())
        result = run.wait()
    assert result.summary["hash"] == plain.summary["hash"]


def test_bad_messages_are_answered() -> None:
    net = ns.Network(seed=1)
    net.add_population("exc", 5)
    with ns.Simulation(net).watch(port=0) as view:

        async def ask(viewer: Viewer) -> list[str]:
            for text in ('{"do":"puase","re":1}', '{"do":"lesion","neurons":[],"re":2}',
                         '{"do":"speed","speed":-1,"re":3}', "[]",
                         '{"re":4}', '{"do":"seek","time":3,"re":5}', '{"do":"step","ms":"x","re":6}',
                         '{"do":"set","path":"a","value":1,"re":7}'):  # fmt: skip
                await viewer.socket.send_str(text)
            await viewer.until(lambda said: len(viewer.errors) == 8)
            return viewer.errors

        errors = look(view._server, ask)
    assert any("pause" in error for error in errors)
    assert any("speed" in error for error in errors)
    assert any("does not run" in error for error in errors)


def test_a_stalled_viewer_stops_the_frames_not_the_run(tmp_path: Path, plain: ns.Result) -> None:
    async def stall(viewer: Viewer) -> int:
        while not viewer.scenes or len(viewer.frames) < 1:
            await viewer.hear(acknowledge=False)
        made = run.server.frames
        await asyncio.sleep(0.6)
        assert run.server.frames - made <= 3
        run.server.show.do({"do": "speed", "speed": None}, 0)
        return made

    with watched(SMALL, tmp_path, speed=0.05) as run:
        look(run.server, stall)
        result = run.wait()
    assert result.summary["hash"] == plain.summary["hash"]


# ---- what can be asked ------------------------------------------------------------------------------------------


def test_parameters_change_and_neurons_go(tmp_path: Path, plain: ns.Result) -> None:
    async def meddle(viewer: Viewer) -> None:
        await _watch_a_while(viewer, 3)
        listed = (await viewer.ask("parameters"))["parameters"]
        rate = next(p for p in listed if p["path"] == "inputs.drive.rate")
        assert (rate["value"], rate["unit"]) == (16_000.0, "Hz")
        assert {p["path"].split(".")[0] for p in listed} == {"inputs", "populations", "structure"}
        changed = await viewer.ask("set", path="inputs.drive.rate", value=15_123.456)
        assert changed["value"] == 15_123.456
        assert (await viewer.ask("set", path="populations.exc.tau_m", value=17.5))["value"] == 17.5
        assert (await viewer.ask("set", path="structure.turnover.lifetime", value=1500))["value"] == 1500
        gone = [1, 2, 3, 7, 50, 165, 166]
        assert (await viewer.ask("lesion", neurons=gone))["removed"] == 7
        assert "alive" in (await viewer.ask("lesion", neurons=gone))["error"]
        assert "takes a number" in (await viewer.ask("set", path="inputs.drive.rate", value="x"))["error"]
        assert "allowed" in (await viewer.ask("set", path="populations.exc.tau_m", value=-1))["error"]

    with watched(SMALL, tmp_path, speed=0.1) as run:
        look(run.server, meddle)
        run.server.show.do({"do": "speed", "speed": None}, 0)
        result = run.wait()
    assert result.summary["hash"] != plain.summary["hash"]


def test_the_code_shown_gives_the_same_hash(tmp_path: Path) -> None:
    texts: list[str] = []

    async def meddle(viewer: Viewer) -> None:
        await _watch_a_while(viewer, 3)
        await viewer.ask("set", path="inputs.drive.rate", value=15_123.456)
        await viewer.ask("set", path="populations.exc.tau_m", value=17.5)
        await viewer.ask("pause")
        await viewer.ask("set", path="structure.turnover.lifetime", value=1500)
        await viewer.ask("lesion", neurons=[1, 2, 3, 7, 50, 165, 166])
        await viewer.ask("step", ms=3.0)
        await viewer.ask("lesion", neurons=[9])
        await viewer.ask("resume")
        texts.append((await viewer.ask("code"))["code"])

    with watched(SMALL, tmp_path, speed=0.1, overrides=["inputs.drive.weight=0.11 mV"], seed=5) as run:
        look(run.server, meddle)
        result = run.wait()
    again = tmp_path / "again.yaml"
    again.write_text(texts[0], encoding="utf-8")
    assert texts[0].count("at:") == 7  # one of them the scenario's own
    assert ns.run(again, tmp_path / "again.nsim").summary["hash"] == result.summary["hash"]


def test_pause_step_and_speed(tmp_path: Path) -> None:
    async def drive(viewer: Viewer) -> None:
        await _watch_a_while(viewer, 3)
        await viewer.ask("pause")
        await viewer.until(lambda said: bool(said.get("state", {}).get("paused")))
        await asyncio.sleep(0.15)
        here = simulation.time
        await asyncio.sleep(0.2)
        assert simulation.time == here
        await viewer.ask("step", ms=2.5)
        for _ in range(100):
            await asyncio.sleep(0.02)
            if simulation.time != here:
                break
        assert simulation.time == pytest.approx(here + 2.5)
        await viewer.ask("speed", speed=0.02)
        await viewer.ask("resume")
        began, here = time.perf_counter(), simulation.time
        await asyncio.sleep(1.0)
        speed = (simulation.time - here) / (time.perf_counter() - began)
        assert 5.0 < speed < 25.0  # ms per s
        assert "speed is" in (await viewer.ask("speed", speed=1e9))["error"]

    with watched(SMALL, tmp_path, speed=0.1) as run:
        simulation = run.server.show.simulation  # type: ignore[attr-defined]
        look(run.server, drive)


def test_a_neuron_is_told_about_and_traced(tmp_path: Path) -> None:
    async def pick(viewer: Viewer) -> dict[str, Any]:
        await _watch_a_while(viewer, 3)
        facts = await viewer.ask("pick", neuron=12)
        trace = await viewer.ask("trace", neuron=12, variable="v")
        assert trace["unit"] == "mV"
        assert "variable" in (await viewer.ask("trace", neuron=12, variable="w"))["error"]
        said = await viewer.until(lambda said: bool(said.get("traces", {}).get("12.v")))
        assert all(isinstance(value, float) for _, value in said["traces"]["12.v"])
        assert "not alive" in (await viewer.ask("pick", neuron=4000))["error"]
        return facts

    with watched(SMALL, tmp_path, speed=0.05) as run:
        facts = look(run.server, pick)
        wishes = run.server.show.running._wishes  # type: ignore[attr-defined]
        deadline = time.monotonic() + 20.0
        while wishes and time.monotonic() < deadline:  # the server hears a little later that its viewer has gone
            time.sleep(0.01)
        assert not wishes
    assert facts["population"] == "exc"
    assert facts["in"]["count"] >= 5
    assert {synapse["projection"] for synapse in facts["in"]["synapses"]} == {"ee", "ie"}
    assert facts["variables"]["v"]["unit"] == "mV"


def test_after_the_run_the_page_plays_the_result(tmp_path: Path) -> None:
    async def scrub(viewer: Viewer) -> None:
        await viewer.until(lambda said: said.get("kind") == "scene")
        run.wait()
        await viewer.until(lambda said: said.get("state", {}).get("mode") == "replay")
        await viewer.scene_at(400.0)
        assert (await viewer.ask("seek", time=123.0))["time"] == 123.0
        await viewer.scene_at(123.0)
        await viewer.ask("speed", speed=0.5)
        await viewer.ask("resume")
        await viewer.until(lambda said: said.get("kind") == "frame" and said["time"] > 200.0)
        assert "recording" in (await viewer.ask("lesion", neurons=[1]))["error"]
        facts = await viewer.ask("pick", neuron=12)
        assert facts["population"] == "exc"
        assert facts["in"]["count"] > 5
        assert "drive" in (await viewer.ask("code"))["code"]

    with watched(SMALL, tmp_path, speed=0.5) as run:
        look(run.server, scrub)


def test_a_result_that_grows_is_followed(tmp_path: Path) -> None:
    async def follow(viewer: Viewer) -> float:
        await viewer.until(lambda said: said.get("kind") == "frame" and said["time"] >= 399.9, 30.0)
        return float(viewer.frames[0]["time"])

    with watched(SMALL, tmp_path, speed=0.15) as run:
        look(run.server, lambda viewer: viewer.until(lambda said: said.get("kind") == "frame"))
        time.sleep(0.7)
        follower = Server(ReplayShow(ns.Result(tmp_path / "watched.nsim"), speed=1.0), port=0)
        follower.start()
        try:
            assert follower.show.state()["status"] == "running"
            assert look(follower, follow) < 300.0
        finally:
            follower.close()


# ---- who may look -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(plain: ns.Result) -> Any:
    served = Server(ReplayShow(plain), port=0)
    served.start()
    yield served
    served.close()


async def _status(url: str, **headers: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status


def test_other_pages_and_names_are_kept_out(server: Server) -> None:
    assert asyncio.run(_status(server.url)) == 200
    assert asyncio.run(_status(server.url, Host="evil.example")) == 403
    assert asyncio.run(_status(server.url + "main.js")) == 200
    for path in ("nothing.js", "..%2Fserver.py", "%2e%2e/server.py", "page"):
        assert asyncio.run(_status(server.url + path)) == 404
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        look(server, lambda viewer: viewer.hear(), Origin="http://evil.example")
    own = server.url.rstrip("/")
    assert look(server, lambda viewer: viewer.hear(), Origin=own)["hello"]


def test_beyond_this_machine_a_token_is_asked_for(plain: ns.Result) -> None:
    open_to_all = Server(ReplayShow(plain), host="0.0.0.0", port=0)
    open_to_all.start()
    try:
        bare = f"http://127.0.0.1:{open_to_all.port}/"
        assert asyncio.run(_status(bare)) == 403
        assert asyncio.run(_status(bare + "?token=guess")) == 403
        assert asyncio.run(_status(bare + "socket")) == 403
        assert asyncio.run(_status(open_to_all.url)) == 200
        assert look(open_to_all, lambda viewer: viewer.hear())["hello"]
    finally:
        open_to_all.close()


def test_a_port_in_use_is_said_so(plain: ns.Result, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NeurosimError, match=f"port {port} is in use"):
            Server(ReplayShow(plain), port=port)
        done = neurosim("watch", str(plain.path), "--no-open", "--port", str(port))
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: port {port} is in use")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing.nsim"], 3, "no result file"),
        (["nothing"], 3, "no such file"),
        (["first_light", "--at", "3 ms"], 2, "--at"),
        (["RESULT", "--seed", "3"], 2, "--seed"),
        (["RESULT", "--at", "3 s"], 2, "has reached 400 ms"),
        (["first_light", "--speed", "0"], 2, "speed"),
        (["RESULT", "--host", "300.1.1.1"], 1, "cannot listen"),
    ],
)
def test_mistakes_get_one_message(plain: ns.Result, arguments: list[str], code: int, said: str) -> None:
    given = [str(plain.path) if word == "RESULT" else word for word in arguments]
    done = neurosim("watch", "--no-open", *given)
    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


# ---- from Python ------------------------------------------------------------------------------------------------


def test_a_simulation_is_watched_from_python() -> None:
    net = ns.Network(seed=1, dt=0.1)
    exc = net.add_population("exc", 30)
    net.add_input("drive", {"poisson": {"rate": "15 kHz"}}, exc, weight=0.2)
    sim = ns.Simulation(net)
    with sim.watch(port=0, speed=0.1) as view:
        assert view.url in view._repr_html_()

        async def see(viewer: Viewer) -> None:
            scene = await viewer.until(lambda said: said.get("kind") == "scene")
            assert scene["populations"][0]["name"] == "exc"
            view.run("2 s")
            with pytest.raises(UsageError, match="running already"):
                view.run("1 s")
            await _watch_a_while(viewer)
            await viewer.ask("set", path="inputs.drive.rate", value=0)
            await viewer.ask("lesion", neurons=[4])

        look(view._server, see)
        assert not view.wait(0.01)
        view.stop()
        assert exc.size == 29
        code = view.code()
        assert "set('rate', '0.0 Hz')" in code
    assert 0.0 < sim.time < 2000.0
    before = sim.time
    sim.run(10.0)  # it goes on unwatched
    assert sim.time == pytest.approx(before + 10.0)
    again = ns.Network(seed=1, dt=0.1)
    more = again.add_population("exc", 30)
    again.add_input("drive", {"poisson": {"rate": "15 kHz"}}, more, weight=0.2)
    other = ns.Simulation(again)
    exec(code, {"sim": other, "net": again})  # noqa: S102 (the very point)
    other.run(sim.time)
    assert np.array_equal(more.v.values, exc.v.values)
    assert other.hash() == sim.hash()
