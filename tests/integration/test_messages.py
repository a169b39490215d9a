"""What customers are told of alerts: where it leads, in which language, and nothing of our machines."""

from __future__ import annotations

import email.policy
import json
import re
import time
from datetime import UTC, datetime
from email import message_from_string
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import requests
from launcher.layout import beside, demo_agents
from stack import Stack, wait_for
from two_customers import (
    add_channel,
    add_to_alerting,
    answer_status,
    host_that_answers,
    is_active,
    mail_server,
    operator_of,
    up_of,
)


def _with_portal(stack: Stack, *alerting: str) -> str:
    portal = stack.layout.url("monitor")
    add_to_alerting(stack, *alerting)
    config = stack.layout.config / "monitor.yaml"
    config.write_text(config.read_text().replace("public:\n", f"public:\n  url: {portal}\n"))
    return portal


@pytest.mark.long(30)
def test_what_a_customer_is_told_leads_to_the_portal_and_names_no_machine_of_ours(tmp_path: Path) -> None:
    """generatorURL and externalURL named Prometheus and Alertmanager inside, to a customer and for nobody to open."""
    got: dict[str, str] = {}

    def take(asked: BaseHTTPRequestHandler, body: bytes) -> None:
        got[asked.path] = body.decode()
        answer_status(asked, 200)

    with (
        Stack(tmp_path, agents=demo_agents()[:1]) as stack,
        host_that_answers(beside(stack.layout.host, 98), take) as url,
        mail_server(beside(stack.layout.host, 97)) as (port, mails),
    ):
        smarthost = f"{beside(stack.layout.host, 97)}:{port}"
        mail = f'mail: {{smarthost: "{smarthost}", from: vigia@p.example, require_tls: false}}'
        portal = _with_portal(stack, "allow_private_targets: true", mail)
        stack.start_central()
        stack.start("agent-a1")
        operator = operator_of(stack)
        add_channel(operator, "cliente-a", type="webhook", target=f"{url}/hook")
        add_channel(operator, "cliente-a", type="slack", target=f"{url}/slack")
        add_channel(operator, "cliente-a", type="email", target="ops@a.example")
        wait_for("the node is up", lambda: up_of(stack, "prod-web-01") == "1", 60)
        stack.kill("agent-a1")
        wait_for("all three are told", lambda: len(got) == 2 and mails, 90)
        message = json.loads(got["/hook"])
        page = f"{portal}/nodes/cliente-a/prod-web-01"
        assert message["alerts"][0]["labels"]["alertname"] == "CustomerNodeDown"
        assert [one["generatorURL"] for one in message["alerts"]] == [page]
        assert message["externalURL"] == f"{portal}/alerts"
        assert json.loads(got["/slack"])["attachments"][0]["title_link"] == page
        for name, text in {**got, "mail": mails[0].replace("=\r\n", "").replace("=3D", "=")}.items():
            assert page in text, (name, text)
            inside = re.findall(r"127\.\d+\.\d+\.\d+(?::\d+)?", text.replace(portal, ""))
            assert inside == [], (name, text)
            assert stack.secrets["internal_token"] not in text


def test_mails_are_in_the_customers_language(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack, mail_server(beside(stack.layout.host, 97)) as (port, mails):
        smarthost = f"{beside(stack.layout.host, 97)}:{port}"
        add_to_alerting(stack, f'mail: {{smarthost: "{smarthost}", from: vigia@p.example, require_tls: false}}')
        portal = stack.layout.url("monitor")
        config = stack.layout.config / "monitor.yaml"
        config.write_text(config.read_text().replace("public:\n", f"public:\n  url: {portal}\n"))
        stack.start("webhook", "alertmanager", "monitor")
        operator = operator_of(stack)
        names = {"inglesa": "Smith & {{ Sons }}", "espanola": "Española S.A."}
        for customer, language in (("inglesa", "en"), ("espanola", "es")):
            operator.good("POST", "/customers", {"id": customer, "name": names[customer], "language": language})
            channel = {"type": "email", "target": f"a@{customer}.example"}
            created = operator.good("POST", f"/customers/{customer}/channels", channel)
            wait_for("it is active", partial(is_active, operator, customer, created["id"]), 10)

        def alert_of(customer: str, ends: float) -> dict[str, Any]:
            node = {"alertname": "CustomerNodeDown", "node_id": "web-01", "customer_id": customer}
            summary = {"summary": "Nodo web-01 <está> caído", "summary_en": "Node web-01 <is> down"}
            summary |= {"resolved": "Nodo web-01 ya no está caído", "resolved_en": "Node web-01 is no longer down"}
            stamp = datetime.fromtimestamp(time.time() + ends, UTC).isoformat()
            return {"labels": node, "annotations": summary, "endsAt": stamp}

        def post(ends: float) -> None:
            body = [alert_of(customer, ends) for customer in ("inglesa", "espanola")]
            url = f"{stack.layout.url('alertmanager')}/api/v2/alerts"
            requests.post(url, json=body, timeout=5).raise_for_status()

        def parsed() -> dict[tuple[str, str], str]:
            found = {}
            for text in mails:
                mail = message_from_string(text, policy=email.policy.default)
                parts = [one.get_content() for one in mail.walk() if one.get_content_maintype() == "text"]
                found[str(mail["To"]), str(mail["Subject"])] = "".join(parts)
            return found

        post(300)
        wait_for("both are told", lambda: len(mails) == 2, 30)
        english, spanish = "[FIRING] Node down · web-01", "[ACTIVA] Nodo caído · web-01"
        sent = parsed()
        assert set(sent) == {("a@inglesa.example", english), ("a@espanola.example", spanish)}
        assert "FIRING: Node web-01 &lt;is&gt; down (since 2" in sent["a@inglesa.example", english]
        assert "ACTIVA: Nodo web-01 <está> caído (desde 2" in sent["a@espanola.example", spanish]
        assert "Customer: Smith &amp; {{ Sons }} · node: web-01" in sent["a@inglesa.example", english]
        assert "Cliente: Española S.A. · nodo: web-01" in sent["a@espanola.example", spanish]
        for customer, subject in (("inglesa", english), ("espanola", spanish)):
            text = sent[f"a@{customer}.example", subject]
            page = f"{portal}/nodes/{customer}/web-01"
            assert f'<a href="{page}">{page}</a>' in text
        assert re.search(r"desde [0-9: -]+ UTC[+-]\d\d:\d\d\)", sent["a@espanola.example", spanish])
        # Its end is told in words of its own, and without a second "is down".
        post(0)
        wait_for("both are told of the end", lambda: len(mails) == 4, 90)
        ended = parsed()["a@inglesa.example", "[RESOLVED] Node down · web-01"]
        assert "RESOLVED: Node web-01 is no longer down (since 2" in ended
        assert re.search(r" until [0-9: -]+ UTC[+-]\d\d:\d\d\)", ended)
        assert "&lt;is&gt; down" not in ended
        ended = parsed()["a@espanola.example", "[RESUELTA] Nodo caído · web-01"]
        assert "RESUELTA: Nodo web-01 ya no está caído (desde 2" in ended
        # A change of language or name holds from the next message on.
        operator.good("PATCH", "/customers/espanola", {"name": "Otra S.A."})
        operator.good("PATCH", "/customers/inglesa", {"language": "es"})
        config = stack.layout.data / "alertmanager.yml"
        wait_for("it is written", lambda: "FIRING" not in config.read_text(), 10)
        assert "Otra S.A." in config.read_text()
        assert operator.call("PATCH", "/customers/inglesa", {"language": "fr"}).status_code == 400
        assert operator.good("GET", "/customers/inglesa")["language"] == "es"
