#!/usr/bin/python3
"""The adapter "webhook" (Standard Webhooks, both ways) as a program: an example of the contract in another language.

It passes the golden examples of adapters/webhook, which the descriptor of that folder passes too; its own name is webhook-python.
Needs python3-thrift and the Thrift compiler. systemd hands it a listening socket (LISTEN_FDS); `program.py --socket PATH` binds one
itself.
"""
import argparse
import datetime
import email.utils
import importlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

from thrift.protocol import TBinaryProtocol
from thrift.transport import TSocket, TTransport


def load_contract():
    """The contract's Python, made by the Thrift compiler: from $ISTHMUS_CONTRACT_PY when a build made it, else now."""
    made = os.environ.get("ISTHMUS_CONTRACT_PY")
    with tempfile.TemporaryDirectory() as folder:
        if not made:
            here = pathlib.Path(__file__).resolve()
            places = [here.parents[3] / "interfaces" / "adapter.thrift", pathlib.Path("/usr/share/isthmus/adapter.thrift")]
            contract = next(place for place in places if place.exists())
            subprocess.run(["thrift", "--gen", "py", "-out", folder, str(contract)], check=True)
        sys.path.insert(0, made or folder)
        sys.dont_write_bytecode = True
        return importlib.import_module("isthmus.adapter.Adapter"), importlib.import_module("isthmus.adapter.ttypes")


service, t = load_contract()

OPERATIONS = {
    "send_lead": ("lead/1", "crm", "lead.created", "submitted_at"),
    "send_activity": ("activity/1", "engagement", "activity.created", "published"),
    "send_metric": ("metric/1", "analytics", "metric.recorded", "occurred_at"),
}

DESCRIPTION = {
    "adapter": "webhook-python",
    "contract": 1,
    "version": "1.0.0",
    "kind": "generic",
    "title": {"fr": "Webhook (Standard Webhooks), en Python", "en": "Webhook (Standard Webhooks), in Python"},
    "connection": {
        "url": {"type": "url", "optional": True},
        "source": {"type": "string", "default": "webhook"},
        "webhook_secret": {"type": "secret"},
    },
    "hosts": ["${connection.url}"],
    "auth": {"mode": "standard_webhooks", "secret": "webhook_secret"},
    "operations": {
        name: {"verb": "CALL", "input": form, "purpose": purpose, "replay_safe": True}
        for name, (form, purpose, _, _) in OPERATIONS.items()
    },
    "webhook": {
        "verify": {"recipe": "standard_webhooks", "secret": "webhook_secret"},
        "delivery_id_header": "webhook-id",
        "answer": 204,
    },
}

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

# What a status means: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, read 2026-11-24.
VERDICTS = {
    **dict.fromkeys([429, 502, 504], t.Verdict.THROTTLED),
    **dict.fromkeys([401, 403, 404, 405, 407], t.Verdict.MISCONFIGURED),
    **dict.fromkeys([408, 423, 425], t.Verdict.RETRY),
    410: t.Verdict.GONE,
}


def verdict_of(status):
    if status in VERDICTS:
        return VERDICTS[status]
    if 200 <= status < 300:
        return t.Verdict.DELIVERED
    if 300 <= status < 400:
        return t.Verdict.MISCONFIGURED  # redirects are not followed
    return t.Verdict.REJECTED if 400 <= status < 500 else t.Verdict.RETRY


def header(headers, name):
    return next((h.value for h in headers or [] if h.name.lower() == name), None)


def milliseconds(text):
    """RFC 3339 to milliseconds since 1970."""
    instant = datetime.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return (instant - EPOCH) // datetime.timedelta(milliseconds=1)


def not_before(headers, now_ms):
    """Retry-After: seconds, or a date (RFC 9110 10.2.3)."""
    text = header(headers, "retry-after") or ""
    if text.isascii() and text.isdigit() and len(text) < 9:
        return now_ms + int(text) * 1000
    try:
        return max(0, int(email.utils.parsedate_to_datetime(text).timestamp() * 1000))
    except (TypeError, ValueError, OverflowError):
        return None


def done(outcome):
    return t.Step(move=t.Move(done=t.Done(outcomes=[outcome])))


class Webhook:
    """Every function is pure: the same arguments give the same answer."""

    def hello(self, contract_min, contract_max):
        if not contract_min <= 1 <= contract_max:
            raise t.Refusal(reason="this program speaks contract 1", contract_min=1, contract_max=1)
        return 1

    def describe(self):
        return json.dumps(DESCRIPTION, ensure_ascii=False, separators=(",", ":"))

    def advance(self, context, task, state, input):
        if task.deliver is None or len(task.deliver) != 1 or task.deliver[0].operation not in OPERATIONS:
            raise t.Fault(reason="this adapter only delivers, one command at a time", poison=False)
        command = task.deliver[0]
        if input.reply is not None:
            return self.judge(context, command, input.reply)
        if input.loss is not None:
            refused = input.loss == t.Loss.REFUSED_BY_GUARD
            verdict = t.Verdict.MISCONFIGURED if refused else t.Verdict.RETRY  # the receiver knows a repeated webhook-id
            reason = "no reply: " + t.Loss._VALUES_TO_NAMES[input.loss].lower()
            return done(t.Outcome(command_id=command.id, verdict=verdict, reason=reason))
        return self.send(context, command)

    def send(self, context, command):
        url = context.connection.get("url")
        if not url:
            reason = "the connection has no url"
            return done(t.Outcome(command_id=command.id, verdict=t.Verdict.MISCONFIGURED, reason=reason))
        _, _, kind, time_member = OPERATIONS[command.operation]
        data = json.loads(command.body)
        message = {"type": kind, "timestamp": data[time_member], "data": data}
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        headers = [t.Header("Content-Type", "application/json"), t.Header("webhook-id", command.id)]
        return t.Step(move=t.Move(send=t.HttpRequest(method="POST", url=url, headers=headers, body=t.Body(data=body), replay_safe=True)))

    def judge(self, context, command, reply):
        verdict = verdict_of(reply.status)
        outcome = t.Outcome(command_id=command.id, verdict=verdict)
        if verdict == t.Verdict.DELIVERED:
            outcome.remote_id = command.id
        else:
            outcome.reason = str(reply.status)
        if verdict in (t.Verdict.THROTTLED, t.Verdict.RETRY):
            outcome.not_before_ms = not_before(reply.headers, context.now_ms)
        return done(outcome)

    def parse(self, context, call):
        try:
            message = json.loads(call.body)
            kind, data = message["type"], message["data"]
            if kind == "lead.created":
                return [self.lead(context, data)]
            if kind == "metric.recorded":
                return [self.metric(call, data)]
            return []
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as problem:
            raise t.Fault(reason="no message of ours: " + type(problem).__name__, poison=True) from None

    def lead(self, context, data):
        consent = data["consent"]
        agreed = consent.get("given") is True and not data.get("opt_out")
        members = ["external_id", "submitted_at", "person", "social", "message", "campaign", "consent", "opt_out"]
        body = {"source": context.connection.get("source", "webhook")}
        body.update({name: data[name] for name in members if data.get(name) is not None})
        key = "lead:" + data["external_id"]
        return t.Event(dedup_key=key, kind="lead.form", occurred_ms=milliseconds(data["submitted_at"]), order_key=key, format="lead/1",
                       body=json.dumps(body, ensure_ascii=False).encode(), purposes=consent.get("purposes", []) if agreed else [])

    def metric(self, call, data):
        delivery = header(call.headers, "webhook-id")
        if not delivery:
            raise KeyError("webhook-id")
        members = ["action", "url", "campaign", "visitor", "occurred_at", "value"]
        body = {name: data[name] for name in members if data.get(name) is not None}
        return t.Event(dedup_key="metric:" + delivery, kind="metric.recorded", occurred_ms=milliseconds(data["occurred_at"]),
                       order_key="metric:" + (data.get("visitor") or delivery), format="metric/1",
                       body=json.dumps(body, ensure_ascii=False).encode(), purposes=["analytics"])

    def challenge(self, context, call):
        raise t.Fault(reason="Standard Webhooks has no challenge", poison=True)

    def validate(self, context, command):
        return [] if command.operation in OPERATIONS else [t.Problem(code="operation.unknown", field="operation", values={})]


def serve(connection, processor):
    """One connection of the daemon, until it closes it."""
    transport = TSocket.TSocket()
    transport.setHandle(connection)
    frames = TTransport.TFramedTransport(transport)
    protocol = TBinaryProtocol.TBinaryProtocolAccelerated(frames, fallback=True)
    try:
        while True:
            processor.process(protocol, protocol)
    except TTransport.TTransportException:
        pass
    finally:
        frames.close()


def listener(path):
    if os.environ.get("LISTEN_FDS") == "1" and os.environ.get("LISTEN_PID") == str(os.getpid()):
        return socket.socket(fileno=3)
    if not path:
        sys.exit("no socket: systemd hands one over, or --socket PATH names one")
    own = socket.socket(socket.AF_UNIX)
    own.bind(path)
    own.listen(64)
    return own


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--socket", help="bind this path instead of taking systemd's socket")
    door = listener(arguments.parse_args().socket)
    processor = service.Processor(Webhook())
    while True:
        connection, _ = door.accept()
        threading.Thread(target=serve, args=(connection, processor), daemon=True).start()


if __name__ == "__main__":
    main()
