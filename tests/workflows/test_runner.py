"""Whole runs: faults first, then what a workflow is for. Delays alone on virtual time, HTTP against a real server."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parlons.agents.context import CallContext
from parlons.agents.workflows import Workflow
from parlons.errors import SecretUnreadable
from parlons.workflows import webhook
from parlons.workflows.http_client import HttpClient
from parlons.workflows.runner import run
from parlons.workflows.runs import Run

from ..support import virtual_time
from .site import Site, answer, drop, hang

SECRET = "s3cret/Va+lue=="


def workflow(steps: list[dict[str, Any]], trigger: str = "live_call", **more: Any) -> Workflow:
    return Workflow.model_validate({"name": "w", "trigger": trigger, "steps": steps, **more})


def hook(url: str, trigger: str = "pre_call", **more: Any) -> Workflow:
    return Workflow.model_validate({"name": "w", "trigger": trigger, "kind": "webhook", "url": url, **more})


async def do(
    what: Workflow,
    http: HttpClient | None = None,
    *,
    input: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    **more: Any,
) -> Run:
    context = CallContext(system={"call_id": "c1"}, sip={"headers": {"x-queue": "vip"}})
    context.merge(more.pop("variables", {"name": "Ada", "count": 3}))
    client = http or HttpClient()
    try:
        made = await run(
            what,
            context=context.variables(),
            input=input or {},
            trigger=what.trigger,
            call={"id": "c1"},
            agent={"id": "a1"},
            secrets=(secrets or {}).get,
            http=client,
            clock=lambda: 1_700_000_000.5,
            **more,
        )
    finally:
        if http is None:
            await client.aclose()
    json.dumps(made.as_json(), allow_nan=False)
    return made


def step(id: str, type: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "type": type, **more}


# -- templates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "place", "why"),
    [
        ({"type": "return", "value": "{{ nobody }}"}, "step s, value", "nobody is not defined"),
        ({"type": "return", "value": {"a": [1, "{{ input.x.y }}"]}}, "step s, value.a[1]", "not defined"),
        ({"type": "return", "value": "{{ steps.later.body }}"}, "step s, value", "not defined"),
        ({"type": "return", "value": "{{ secrets.NONE }}"}, "step s, value", "secrets.NONE is not defined"),
        ({"type": "set", "values": {"v": "{{ 'a' | divided_by: 0 }}"}}, "step s, values.v", "cannot be rendered"),
        ({"type": "http", "url": "http://x.test/{{ nobody }}"}, "step s, url", "nobody is not defined"),
        ({"type": "http", "url": "http://x.test", "headers": {"A": "{{ nobody }}"}}, "step s, headers.A", "nobody"),
        ({"type": "http", "url": "http://x.test", "query": {"q": "{{ nobody }}"}}, "step s, query.q", "nobody"),
        ({"type": "http", "url": "http://x.test", "body": {"b": "{{ nobody }}"}}, "step s, body.b", "nobody"),
        (
            {"type": "return", "value": "{% for a in (1..2000) %}{% for b in (1..2000) %}{% endfor %}{% endfor %}"},
            "step s, value",
            "too much",
        ),
        (
            {"type": "return", "value": "{% for a in (1..1900) %}" + "x" * 10_000 + "{% endfor %}"},
            "step s, value",
            "too much",
        ),
    ],
)
async def test_a_template_that_cannot_be_rendered(fields: dict[str, Any], place: str, why: str) -> None:
    made = await do(workflow([{"id": "s", **fields}]))
    assert made.status == "error"
    assert made.error is not None
    assert (made.error.step, made.error.code) == ("s", "unrenderable")
    assert place in made.error.message
    assert why in made.error.message
    assert made.steps[0].error == made.error


async def test_many_big_texts_in_one_step_are_too_much() -> None:
    big = "{% for a in (1..1000) %}" + "x" * 90 + "{% endfor %}"
    made = await do(workflow([step("s", "return", value=[big] * 20)]))
    assert made.error is not None
    assert made.error.code == "too_big"


async def test_what_set_steps_hold_together_is_bounded() -> None:
    big = "{% for a in (1..1000) %}" + "x" * 90 + "{% endfor %}"
    made = await do(workflow([step(f"s{n}", "set", values={f"v{n}": big}) for n in range(20)]))
    assert made.error is not None
    assert made.error.code == "too_big"
    assert len(json.dumps(made.as_json())) < 1_600_000


async def test_a_plain_variable_keeps_its_kind_and_other_templates_make_text() -> None:
    value = {"n": "{{ count }}", "t": "{{ count }}!", "o": "{{ sip.headers }}", "f": "{{ count | plus: 1 }}", "k": 1}
    made = await do(workflow([step("s", "return", value=value)]))
    assert made.result == {"n": 3, "t": "3!", "o": {"x-queue": "vip"}, "f": "4", "k": 1}


async def test_an_undefined_variable_with_a_default_is_none_of_ours() -> None:
    made = await do(workflow([step("s", "return", value="{{ nobody | default: 'x' }}")]))
    assert (made.status, made.result) == ("ok", "x")


# -- input -------------------------------------------------------------------------------------------------

FIELDS = [
    {"name": "order", "type": "integer", "description": "The order", "required": True},
    {"name": "amount", "type": "number"},
    {"name": "urgent", "type": "boolean"},
    {"name": "note", "type": "string"},
]


@pytest.mark.parametrize(
    "values", [{}, {"order": "x"}, {"order": 1.5}, {"order": 1, "urgent": "perhaps"}, {"order": None}]
)
async def test_input_of_the_wrong_kind(values: dict[str, Any]) -> None:
    made = await do(workflow([step("s", "return", value=1)], input=FIELDS), input=values)
    assert made.error is not None
    assert (made.error.step, made.error.code, made.steps) == ("", "invalid_input", [])
    assert "order" in made.error.message or "urgent" in made.error.message


async def test_input_of_the_right_kind() -> None:
    given = {"order": "12", "amount": 2.5, "urgent": "oui", "other": 1}
    made = await do(workflow([step("s", "return", value="{{ input }}")], input=FIELDS), input=given)
    assert made.result == {"order": 12, "amount": 2.5, "urgent": True}


# -- order, branches, errors -------------------------------------------------------------------------------


async def test_steps_see_what_came_before(web: Site, http: HttpClient) -> None:
    web.pages["/orders"] = answer({"items": [{"id": 7, "state": "late"}]}, headers=[("X-Total", "1")])
    web.pages["/notes"] = answer({"saved": True}, status=201)
    made = await do(
        workflow(
            [
                step("find", "http", url=web.url("/orders"), query={"who": "{{ name }}"}),
                step("keep", "set", values={"state": "{{ steps.find.body.items[0].state }}"}),
                step(
                    "how",
                    "branch",
                    branches=[
                        {"variable": "state", "operator": "equals", "value": "fine", "steps": []},
                        {
                            "variable": "steps.find.headers.x-total",
                            "operator": "equals",
                            "value": 1,
                            "steps": [
                                step(
                                    "write",
                                    "http",
                                    method="POST",
                                    url=web.url("/notes"),
                                    body={"order": "{{ steps.find.body.items[0].id }}", "{{ state }}": [True, None]},
                                    expected_status=[201],
                                ),
                                step("end", "return", value={"result": "{{ steps.write.body.saved }}"}),
                            ],
                        },
                    ],
                ),
                step("never", "return", value="not reached"),
            ]
        ),
        http,
    )
    assert made.error is None
    assert made.result == {"result": True}
    assert made.context == {"state": "late"}
    assert [s.id for s in made.steps] == ["find", "keep", "how", "write", "end"]
    assert web.asked[0].target == "/orders?who=Ada"
    assert web.asked[1].json() == {"order": 7, "late": [True, None]}
    assert web.asked[1].headers["content-type"] == "application/json"
    assert made.steps[3].request["body"] == {"order": 7, "late": [True, None]}
    assert made.steps[3].reply["status"] == 201


async def test_a_form_is_sent_as_it_is_written(web: Site, http: HttpClient) -> None:
    web.pages["/"] = answer({})
    typed = {"content-type": "application/x-www-form-urlencoded"}
    await do(
        workflow([step("s", "http", method="POST", url=web.url("/"), headers=typed, body="a={{ name }}&b=1")]), http
    )
    assert web.asked[0].body == b"a=Ada&b=1"
    assert web.asked[0].headers["content-type"] == typed["content-type"]


@pytest.mark.parametrize(
    ("page", "code"), [(answer({"no": 1}, 500), "unexpected_status"), (drop, "connection_dropped")]
)
async def test_a_failing_step_ends_the_workflow_unless_told_otherwise(
    web: Site, http: HttpClient, page: Any, code: str
) -> None:
    web.pages["/"] = page
    failing = step("find", "http", url=web.url("/"), method="POST")
    after = step("end", "return", value={"ok": "{{ steps.find.ok }}", "code": "{{ steps.find.error.code }}"})
    made = await do(workflow([failing, after]), http)
    assert made.error is not None
    assert (made.status, made.error.step, made.error.code) == ("error", "find", code)
    assert [s.id for s in made.steps] == ["find"]
    made = await do(workflow([{**failing, "on_error": "continue"}, after]), http)
    assert (made.status, made.result) == ("ok", {"ok": False, "code": code})
    assert made.steps[0].error is not None


async def test_a_branch_may_swallow_what_fails_inside_it() -> None:
    inner = step("bad", "return", value="{{ nobody }}")
    branch = step(
        "b", "branch", on_error="continue", branches=[{"variable": "name", "operator": "is_set", "steps": [inner]}]
    )
    made = await do(workflow([branch, step("end", "return", value="{{ steps.b.error.code }}")]))
    assert made.result == "unrenderable"


@pytest.mark.parametrize("name", ["system", "sip", "path", "steps", "input", "secrets"])
async def test_reserved_names_cannot_be_set(name: str) -> None:
    made = await do(workflow([step("s", "set", values={name: 1})]))
    assert made.error is not None
    assert made.error.code == "reserved_name"
    assert made.context == {}


async def test_a_workflow_of_far_too_many_steps_is_ended() -> None:
    inner = [step(f"s{n}", "set", values={"v": n}) for n in range(400)]
    made = await do(
        workflow([step("b", "branch", branches=[{"variable": "x", "operator": "is_set"}], **{"else": inner})])
    )
    assert made.error is not None
    assert made.error.code == "too_big"


async def test_private_addresses_are_refused(web: Site) -> None:
    made = await do(workflow([step("s", "http", url=web.url("/"))]))
    assert made.error is not None
    assert made.error.code == "address_refused"
    assert web.opened == 0


# -- time --------------------------------------------------------------------------------------------------


def test_delays_take_their_time_and_stop_at_the_deadline() -> None:
    waits = workflow([step("d", "delay", seconds=30), step("e", "return", value=1)])

    async def both() -> tuple[Run, Run]:
        return await do(waits), await do(waits, deadline=10)

    made, late = virtual_time.run(both())
    assert (made.status, made.result, made.duration_ms) == ("ok", 1, 30_000)
    assert [(s.started_ms, s.duration_ms) for s in made.steps] == [(0, 30_000), (30_000, 0)]
    assert (late.status, late.result, late.duration_ms) == ("timeout", None, 10_000)
    assert late.error is not None
    assert (late.error.step, late.error.code) == ("d", "deadline")
    assert late.steps[0].error is not None
    assert late.steps[0].error.code == "interrupted"


async def test_the_deadline_ends_a_request_and_releases_it(web: Site, http: HttpClient) -> None:
    web.pages["/"] = hang
    made = await do(workflow([step("s", "http", url=web.url("/"), timeout_seconds=30)]), http, deadline=0.3)
    assert made.status == "timeout"
    assert http.connections == []


async def test_the_steps_own_time_is_an_error_of_the_step(web: Site, http: HttpClient) -> None:
    web.pages["/"] = hang
    made = await do(workflow([step("s", "http", url=web.url("/"), timeout_seconds=0.2)]), http, deadline=30)
    assert made.error is not None
    assert (made.status, made.error.code) == ("error", "timeout")


async def test_a_run_that_is_cancelled_is_still_told(web: Site, http: HttpClient) -> None:
    web.pages["/"] = hang
    ended: list[Run] = []
    work = do(workflow([step("s", "http", url=web.url("/"), timeout_seconds=30)]), http, on_end=ended.append)
    task = asyncio.create_task(work)
    async with asyncio.timeout(5):
        await web.came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [made.status for made in ended] == ["cancelled"]
    assert ended[0].steps[0].request["url"] == web.url("/")
    assert http.connections == []


# -- secrets -----------------------------------------------------------------------------------------------


async def test_secrets_reach_the_service_and_never_the_record(web: Site, http: HttpClient) -> None:
    echo = {"you_sent": SECRET, "escaped": f"<{SECRET}>", SECRET: 1, "n": [SECRET]}
    web.pages["/"] = answer(echo, headers=[("X-Echo", f"a {SECRET} b")])
    web.pages["/bad"] = answer(SECRET.encode() * 2000, status=500, type="text/plain")
    made = await do(
        workflow(
            [
                step(
                    "s",
                    "http",
                    method="POST",
                    url=web.url("/?key={{ secrets.KEY | url_encode }}"),
                    headers={
                        "Authorization": "Bearer {{ secrets.KEY }}",
                        "X-Basic": "{{ 'u:' | append: secrets['KEY'] | base64_encode }}",
                    },
                    query={"q": "{{ secrets.KEY }}"},
                    body={"a": "{{ secrets.KEY }}", "{{ secrets.KEY }}": 1},
                ),
                step("v", "set", values={"held": "{{ secrets.KEY }}"}),
                step("t", "http", url=web.url("/bad"), on_error="continue"),
                step("u", "http", url="ftp://{{ secrets.KEY }}/", on_error="continue"),
                step("w", "http", url="http://x.test/", headers={"{{ x }}": "{{ secrets.KEY }}"}, on_error="continue"),
                step("r", "return", value={"k": "{{ secrets.KEY }}", "all": "{{ steps }}", "c": "{{ secrets }}"}),
            ]
        ),
        http,
        secrets={"KEY": SECRET},
    )
    assert made.status == "ok", made.error
    sent = web.asked[0]
    assert sent.headers["authorization"] == f"Bearer {SECRET}"
    word = base64.b64encode(f"u:{SECRET}".encode()).decode()
    assert sent.headers["x-basic"] == word
    assert sent.json() == {"a": SECRET, SECRET: 1}
    for shown in (repr(made), json.dumps(made.as_json()), str(made.as_json())):
        for form in (SECRET, "s3cret", "s3cret%2F", word, word.rstrip("="), base64.b64encode(SECRET.encode()).decode()):
            assert form not in shown
    assert made.result["k"] == "***"


async def test_a_secret_that_cannot_be_read() -> None:
    def secrets(_name: str) -> str | None:
        raise SecretUnreadable("the key changed.")

    client = HttpClient()
    made = await run(
        workflow([step("s", "return", value="{{ secrets.KEY }}")]),
        context={},
        input={},
        trigger="live_call",
        call={},
        agent={},
        secrets=secrets,
        http=client,
    )
    await client.aclose()
    assert made.error is not None
    assert made.error.code == "secret"


async def test_only_secrets_that_are_named_are_looked_up() -> None:
    asked: list[str] = []

    def secrets(name: str) -> str | None:
        asked.append(name)
        return "v"

    client = HttpClient()
    await run(
        workflow([step("s", "return", value="{{ secrets.A }}{{ secrets['B-2'] }} secrets{{ secrets.A }}")]),
        context={},
        input={},
        trigger="live_call",
        call={},
        agent={},
        secrets=secrets,
        http=client,
    )
    await client.aclose()
    assert asked == ["A", "B-2"]


async def test_what_is_kept_is_bounded(web: Site, http: HttpClient) -> None:
    web.pages["/"] = answer({"items": ["é" * 40] * 3_000})
    steps = [step(f"s{n}", "http", url=web.url("/")) for n in range(60)]
    made = await do(workflow([*steps, step("r", "return", value="{{ steps.s59.body.items.size }}")]), http)
    assert made.status == "ok", made.error
    assert len(json.dumps(made.as_json(), ensure_ascii=False)) < 300_000


# -- webhooks ----------------------------------------------------------------------------------------------


async def test_a_webhook_is_signed_and_its_reply_is_the_result(web: Site, http: HttpClient) -> None:
    web.pages["/"] = answer({"context": {"vip": True}})
    headers = {"X-Token": "{{ secrets.KEY }}", "X-Name": "{{ name }}"}
    what = hook(web.url("/"), secret="hook-secret", headers=headers, input=FIELDS)
    made = await do(what, http, input={"order": 4}, secrets={"KEY": SECRET}, delivery="d-1")
    assert (made.status, made.result) == ("ok", {"context": {"vip": True}})
    sent = web.asked[0]
    assert (sent.method, sent.headers["x-parlons-delivery"], sent.headers["x-token"]) == ("POST", "d-1", SECRET)
    signature = sent.headers["x-parlons-signature"]
    assert signature.startswith("t=1700000000,v1=")
    assert webhook.verify("hook-secret", signature, sent.body, now=1_700_000_010)
    body = sent.json()
    assert set(body) == {"trigger", "call", "agent", "context", "input"}
    assert (body["trigger"], body["call"], body["input"]) == ("pre_call", {"id": "c1"}, {"order": 4})
    assert body["context"]["system"]["call_id"] == "c1"
    shown = json.dumps(made.as_json()) + repr(made)
    assert SECRET not in shown
    assert "hook-secret" not in shown
    assert signature not in shown


@pytest.mark.parametrize(
    ("page", "result"),
    [(answer(b"", 204), None), (answer(b"  "), None), (answer("words"), "words"), (answer([1]), [1]), (answer(0), 0)],
)
async def test_replies_of_webhooks(web: Site, http: HttpClient, page: Any, result: Any) -> None:
    web.pages["/"] = page
    made = await do(hook(web.url("/")), http)
    assert (made.status, made.result) == ("ok", result)


@pytest.mark.parametrize("page", [answer(b"Accepted", type="text/plain"), answer(b"{", type="application/json")])
async def test_a_reply_that_is_no_json_is_an_error_except_after_the_call(
    web: Site, http: HttpClient, page: Any
) -> None:
    web.pages["/"] = page
    made = await do(hook(web.url("/")), http)
    assert made.error is not None
    assert (made.error.step, made.error.code) == ("webhook", "invalid_reply")
    assert (await do(hook(web.url("/"), "post_call"), http)).status == "ok"


async def test_the_delivery_is_the_run_when_none_is_given(web: Site, http: HttpClient) -> None:
    web.pages["/"] = answer({})
    made = await do(hook(web.url("/")), http, run_id="r1")
    assert made.id == "r1"
    assert web.asked[0].headers["x-parlons-delivery"] == "r1"
    assert "x-parlons-signature" not in web.asked[0].headers


# -- anything ----------------------------------------------------------------------------------------------

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.text(max_size=10)
    | st.sampled_from(["{{ name }}", "{{ nobody }}", "{{ name | append: 'x' }}", "{% if name %}y{% endif %}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(values, max_size=3), values)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_run_raises(sets: list[Any], value: Any) -> None:
    try:
        what = workflow(
            [*[step(f"s{n}", "set", values={"v": v}) for n, v in enumerate(sets)], step("r", "return", value=value)]
        )
    except ValueError:  # a text that looks like a broken template
        return
    made = asyncio.run(do(what))
    assert made.status in ("ok", "error")
    assert (made.error is None) == (made.status == "ok")
