"""The record of a step up: what was shown, who let it begin, signed with the approver's own key.

Execution takes a step up only with the digest of such a record, which so stands in its journal; the record itself lies
in the run's folder `rollout/`. It decides nothing: the gates were judged by `grey_gates.py`.

What can go wrong: an unknown approver, another's key, a record that was changed: SigningError says which.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from acceptance.document import canonical
from acceptance.grey_gates import Shown
from acceptance.grey_plan import Plan
from acceptance.signing import SigningError, is_signed, known, public_of, sign
from gateway.journal.told import EN, ZH, said, told

FOLDER = "rollout"
FORMAT = 1


def content_of(plan: Plan, shown: Shown | None, to: str, who: str, reason: str, at_utc_ns: int) -> dict[str, Any]:
    """What is signed: for the first stage nothing has been shown yet."""
    approver = known(plan.approvers, who)
    return {
        "format": FORMAT,
        "kind": "stage",
        "plan": plan.rollout.name,
        "plan_sha256": plan.rollout.digest,
        "from": shown.span.name if shown is not None else "",
        "to": to,
        "gates": [_gate(one.name, one.verdict.value, one.words) for one in shown.gates] if shown is not None else [],
        "approver": approver._asdict(),
        "reason": reason,
        "at_utc_ns": at_utc_ns,
    }


def _gate(name: str, verdict: str, words: str) -> dict[str, str]:
    return {"gate": name, "verdict": verdict, "en": said(words, EN), "zh": said(words, ZH)}


def write_record(folder: Path, content: dict[str, Any], key: Any) -> str:  # noqa: ANN401 - a key
    """Sign it and write it; its digest."""
    approver = content["approver"]
    if public_of(key) != approver["public_key"]:
        message = told("the key is not that of {}: its public half is {}", approver["name"], public_of(key))
        raise SigningError(message)
    raw = canonical(content)
    digest = hashlib.sha256(raw).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"record": content, "signature": sign(key, raw)}
    path = folder / f"{content['at_utc_ns']}-{content['to']}.json"
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return digest


def verify_record(path: Path, plan: Plan) -> dict[str, Any]:
    """The content of a record that one of the plan's approvers signed and nobody changed; SigningError otherwise."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        content, signature = dict(whole["record"]), str(whole["signature"])
        name, key = str(content["approver"]["name"]), str(content["approver"]["public_key"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = told("{}: no record of a stage", path)
        raise SigningError(message) from error
    approver = known(plan.approvers, name)
    if approver.public_key != key or not is_signed(approver.public_key, canonical(content), signature):
        message = told("{}: not signed by {}, or changed afterwards", path, name)
        raise SigningError(message)
    return content


def records(folder: Path) -> Iterable[Path]:
    """All records of a run, oldest first."""
    return sorted((folder / FOLDER).glob("*.json"))
