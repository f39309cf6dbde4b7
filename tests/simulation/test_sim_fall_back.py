"""A pair trade that hangs in a rollout: the stage falls within a second of the breach, whatever is (not) heard."""

import msgspec
import pytest

from gateway.model.rollout import STAGES, Rollout, RolloutStage, StageLimits, Tripwire
from gateway.model.trade import Alarm, AlarmName, Verb
from tests.simulation.scene import CHEAP_AT_1S, FAR, Scene, fault

MS = 1_000_000
RECORD = "ab" * 32
SILENT = fault("silence", 1)
NO_TIME_OUT = {"order_timeout_ns": 4_000 * MS}


def plan(legged_ms: int) -> str:
    """Its canary falls back at a pair trade that is unbalanced for longer."""
    wires = {"canary": Tripwire(legged_ns=legged_ms * MS, alarms=(AlarmName.JOURNAL,))}
    stages = tuple(RolloutStage(one, one, StageLimits(), wires.get(one, Tripwire())) for one in STAGES)
    return msgspec.json.encode(Rollout("scene", "d1", ("Li Wei",), stages)).decode()


def in_canary(scene: Scene, legged_ms: int = 700) -> Scene:
    """The plan is in force, one stage up, before the market moves at 1 s."""
    scene.say(200, Verb.ROLLOUT, plan(legged_ms))
    return scene.say(250, Verb.STAGE, f"canary {RECORD}")


def fell_ms(scene: Scene) -> list[int]:
    """When a stage fell."""
    return [at // MS for at, what in scene.told if isinstance(what, Alarm) and what.name is AlarmName.FELL_BACK]


def legged_at_ms(scene: Scene) -> int:
    """When the first fill of its one pair trade made it unbalanced."""
    (trade,) = scene.trades
    return trade.opened_ns // MS


def on_time(scene: Scene, legged_ms: int = 700) -> None:
    """It fell once, after its bound and within a second of it; later intents are refused."""
    (fell,) = fell_ms(scene)
    late_ms = fell - (legged_at_ms(scene) + legged_ms)
    assert 0 <= late_ms < 1000, late_ms
    assert scene.process is not None
    assert scene.process.engine.status(0).step == "shadow"


def test_a_venue_that_says_nothing() -> None:
    """No report of one leg ever leaves its venue: the time alone brings the fall-back."""
    scene = in_canary(Scene(*CHEAP_AT_1S, far_faults=[SILENT], pair=NO_TIME_OUT))
    on_time(scene.play())


def test_a_session_that_is_down() -> None:
    """The venue of one leg is gone for seconds, and its fill is heard only when it is back."""
    scene = in_canary(Scene(*CHEAP_AT_1S, far_delay_ms=60, wire={"numbers_reset": 1.0}))
    on_time(scene.cut(1_080, FAR, 4_080).play())


@pytest.mark.parametrize("legged_ms", [250, 680])
def test_a_kill_while_it_hangs(legged_ms: int) -> None:
    """Killed while one leg hangs: the time goes on, over while it is away, or when it is back."""
    scene = in_canary(Scene(*CHEAP_AT_1S, far_faults=[SILENT], pair=NO_TIME_OUT), legged_ms)
    scene.kill(1_190, "kill_any_time").say(1_200, Verb.ASK_POSITIONS, "LME").play()
    assert scene.process is not None
    assert scene.process.incarnation == 2
    on_time(scene, legged_ms)


def test_a_journal_that_takes_no_records() -> None:
    """Nothing is sent while it is full; the first record that can be written again brings the stage below."""
    scene = in_canary(Scene(*CHEAP_AT_1S))

    def fill_up() -> None:
        scene.disk.full_until_ns = 2_000 * MS

    scene.on(900, fill_up).play()
    (fell,) = fell_ms(scene)
    assert 2_000 <= fell < 2_300
    assert [order for at_ns, order in scene.sent if at_ns < 2_000 * MS] == []


def test_a_trade_that_is_whole_in_time_stays_in_its_stage() -> None:
    """Both legs filled as they should: nothing falls."""
    scene = in_canary(Scene(*CHEAP_AT_1S)).play()
    assert fell_ms(scene) == []
    assert scene.process is not None
    assert scene.process.engine.status(0).step == "canary"
