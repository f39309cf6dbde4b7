"""How execution and the clients' door are replayed: their engines, and the settings that they decided by."""

from collections.abc import Sequence
from pathlib import Path

from gateway.clients.engine import ClientEngine
from gateway.clients.settings import ClientSettings
from gateway.clients.telling import Moment
from gateway.execution.ledger import ExecutionSettings
from gateway.journal.reader import EXECUTION
from gateway.journal.told import told
from gateway.model.base import Message
from gateway.model.record import ClientDecision, Decision, JournalOpened
from gateway.model.trade import Intent, SendOrders
from gateway.processes.cores import execution_engine
from gateway.processes.kept_settings import read_kept, read_settings
from gateway.processes.replay_decisions import Decides, DecisionReplay, Engine, Recorded
from gateway.processes.replay_result import OnProgress, Replayed

CLIENTS = "clients"


def _execution_settings(run_dir: Path, opened: JournalOpened) -> tuple[Message | None, str]:
    return read_settings(run_dir, opened.site_digest, opened.incarnation)


def _execution(given: ExecutionSettings, incarnation: int) -> Engine:
    engine = execution_engine(given, incarnation)

    def take(one: Recorded) -> Sequence[Message]:
        assert isinstance(one, Decision)  # noqa: S101 its journal holds no other
        return engine.on_event(one.event, one.at_ns)

    return take


def _execution_counts(one: Recorded, actions: Sequence[Message]) -> dict[str, int]:
    orders = sum(len(action.orders) for action in actions if isinstance(action, SendOrders))
    return {"intents": int(isinstance(one.event, Intent)), "orders": orders}


def _client_settings(run_dir: Path, opened: JournalOpened) -> tuple[Message | None, str]:
    kept = read_kept(run_dir, opened.site_digest, opened.incarnation, CLIENTS, ClientSettings)
    return kept, "" if kept is not None else told("the run kept no settings of it: nothing to compare by")


def _clients(given: ClientSettings, incarnation: int) -> Engine:
    engine = ClientEngine(given, incarnation)

    def take(one: Recorded) -> Sequence[Message]:
        assert isinstance(one, ClientDecision)  # noqa: S101 its journal holds no other
        return engine.decide_again(one.event, Moment(one.at_ns, one.utc_ns), one.actions)

    return take


def _client_counts(_one: Recorded, actions: Sequence[Message]) -> dict[str, int]:
    return {"actions": len(actions)}


DECIDES = {
    EXECUTION: Decides(EXECUTION, _execution_settings, _execution, _execution_counts),
    CLIENTS: Decides(CLIENTS, _client_settings, _clients, _client_counts),
}


def replay_execution(run_dir: Path, on_progress: OnProgress) -> Replayed:
    """Compare every action of a run's execution."""
    return DecisionReplay(run_dir, DECIDES[EXECUTION], on_progress).run()


def replay_clients(run_dir: Path, on_progress: OnProgress) -> Replayed:
    """Compare every action of a run's door to its clients."""
    return DecisionReplay(run_dir, DECIDES[CLIENTS], on_progress).run()
