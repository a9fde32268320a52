"""Keys shown once and rotated, users and roles, sessions, the first sign-in, guessing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from parlons.api import first_key
from parlons.api.access import COOKIE, IDLE, LONGEST
from parlons.api.credentials import hash_of

from .stage import ADMIN_KEY, Stage

PASSWORD = "a long enough password"


async def test_a_key_is_shown_once_and_stored_as_its_hash(both: Stage) -> None:
    made = (await both.http.post("/v1/keys", json={"name": "CRM", "scopes": ["read", "calls"]})).json()
    secret = made["secret"]
    assert secret.startswith("parlons_")
    assert secret.startswith(made["key"]["hint"])
    assert len(made["key"]["hint"]) < 14
    for path in ("/v1/keys", f"/v1/keys/{made['key']['id']}", "/v1/audit"):
        assert secret not in (await both.http.get(path)).text
    found = await both.store.keys.find(hash_of(secret))
    assert found is not None
    assert found.scopes == ("read", "calls")
    used = {"Authorization": f"Bearer {secret}"}
    async with both.client() as client:
        assert (await client.get("/v1/agents", headers=used)).status_code == 200
    assert (await both.http.get(f"/v1/keys/{found.id}")).json()["last_used_at"] is not None


async def test_a_key_is_rotated_with_two_secrets_at_a_time(both: Stage) -> None:
    made = (await both.http.post("/v1/keys", json={"name": "CRM", "scopes": ["read"]})).json()
    key_id, first = made["key"]["id"], made["secret"]
    second = (await both.http.post(f"/v1/keys/{key_id}/rotate")).json()
    assert second["key"]["rotating"]
    third = await both.http.post(f"/v1/keys/{key_id}/rotate")
    assert third.status_code == 409

    async def opens(secret: str) -> bool:
        async with both.client() as client:
            answer = await client.get("/v1/agents", headers={"Authorization": f"Bearer {secret}"})
        return answer.status_code == 200

    assert await opens(first)
    assert await opens(second["secret"])
    assert not (await both.http.delete(f"/v1/keys/{key_id}/previous")).json()["rotating"]
    assert not await opens(first)
    assert await opens(second["secret"])
    assert (await both.http.post(f"/v1/keys/{key_id}/revoke")).json()["revoked_at"] is not None
    assert not await opens(second["secret"])
    assert (await both.http.post(f"/v1/keys/{key_id}/rotate")).status_code == 409


async def test_the_first_key_is_made_once(both: Stage) -> None:
    made = await asyncio.gather(*(first_key.make(both.store) for _ in range(3)))
    secrets = [secret for secret in made if secret is not None]
    assert len(secrets) == 1
    async with both.client() as client:
        answer = await client.get("/v1/users", headers={"Authorization": f"Bearer {secrets[0]}"})
    assert answer.status_code == 200
    assert await first_key.make(both.store) is None


async def test_the_first_sign_in_sets_a_password_once(both: Stage) -> None:
    client = both.client()
    before = (await client.get("/v1/session")).json()
    assert (before["signed_in"], before["first_sign_in"]) == (False, True)
    body = {"admin_key": "not it at all", "name": "Chief", "password": PASSWORD}
    assert (await client.post("/v1/session/first", json=body)).status_code == 401
    made = await client.post("/v1/session/first", json=body | {"admin_key": ADMIN_KEY})
    assert made.status_code == 200
    assert made.json()["user"]["role"] == "admin"
    cookie = made.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie, "it came over http"
    now = (await client.get("/v1/session")).json()
    assert now["signed_in"]
    assert now["csrf_token"] == made.json()["csrf_token"]
    assert (await client.get("/v1/users")).status_code == 200
    again = await both.client().post("/v1/session/first", json=body | {"admin_key": ADMIN_KEY, "name": "Other"})
    assert again.status_code == 409
    after = (await both.client().get("/v1/session")).json()
    assert (after["signed_in"], after["first_sign_in"]) == (False, False)


async def test_of_two_first_sign_ins_at_once_one_is_made(both: Stage) -> None:
    bodies = [{"admin_key": ADMIN_KEY, "name": f"n{i}", "password": PASSWORD} for i in range(3)]
    answers = await asyncio.gather(*(both.client().post("/v1/session/first", json=body) for body in bodies))
    assert sorted(a.status_code for a in answers) == [200, 409, 409]


async def test_the_cookie_is_secure_over_https(stage: Stage) -> None:
    await stage.user("viewer")
    async with stage.client() as client:
        client.base_url = "https://parlons.test"
        answer = await client.post("/v1/session", json={"name": "somebody", "password": PASSWORD})
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_signing_in_whatever_the_case_and_out(stage: Stage) -> None:
    client = await stage.signed_in("editor", "Réception")
    other = stage.client()
    assert (await other.post("/v1/session", json={"name": "RÉCEPTION", "password": PASSWORD})).status_code == 200
    assert (await client.delete("/v1/session")).status_code == 204
    assert COOKIE not in client.cookies
    assert (await client.get("/v1/agents")).status_code == 401
    assert (await other.get("/v1/agents")).status_code == 200


async def test_a_session_ends_when_nobody_uses_it_and_at_last(stage: Stage) -> None:
    client = await stage.signed_in("viewer")
    start = stage.services.clock()
    stage.now = start + IDLE - timedelta(minutes=5)
    assert (await client.get("/v1/agents")).status_code == 200
    stage.now += IDLE - timedelta(minutes=5)
    assert (await client.get("/v1/agents")).status_code == 200
    stage.now += IDLE + timedelta(minutes=5)
    assert (await client.get("/v1/agents")).status_code == 401
    stage.now = start + LONGEST + timedelta(seconds=1)
    assert (await client.get("/v1/agents")).status_code == 401


async def test_guessing_has_to_wait_and_the_owner_of_the_name_is_told(stage: Stage) -> None:
    await stage.user("viewer")
    client = stage.client()
    wrong = {"name": "SOMEBODY", "password": "wrong"}
    answers = await asyncio.gather(*(client.post("/v1/session", json=wrong) for _ in range(14)))
    codes = [a.status_code for a in answers]
    assert codes.count(401) == 10
    assert codes.count(429) == 4
    refused = await client.post("/v1/session", json={"name": "somebody", "password": PASSWORD})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 300
    unknown = await client.post("/v1/session", json={"name": "nobody", "password": "wrong"})
    assert unknown.json()["detail"] == answers[0].json()["detail"], "a user that does not exist looks the same"


async def test_right_passwords_are_not_counted(stage: Stage) -> None:
    await stage.user("viewer")
    for _ in range(12):
        async with stage.client() as client:
            answer = await client.post("/v1/session", json={"name": "somebody", "password": PASSWORD})
            assert answer.status_code == 200


async def test_a_changed_password_or_role_counts_at_once(both: Stage) -> None:
    client = await both.signed_in("editor")
    user_id = (await client.get("/v1/session")).json()["user"]["id"]
    assert (await both.http.patch(f"/v1/users/{user_id}", json={"role": "viewer"})).json()["role"] == "viewer"
    assert (await client.post("/v1/agents", json={"document": {"name": "x"}})).status_code == 403
    await both.http.patch(f"/v1/users/{user_id}", json={"password": "another long password"})
    assert (await client.get("/v1/agents")).status_code == 401
    assert "another long password" not in (await both.http.get("/v1/audit")).text


async def test_ones_own_password(stage: Stage) -> None:
    client = await stage.signed_in("viewer")
    elsewhere = stage.client()
    await elsewhere.post("/v1/session", json={"name": "somebody", "password": PASSWORD})
    body = {"current_password": "wrong", "new_password": "another long password"}
    assert (await client.put("/v1/session/password", json=body)).status_code == 403
    changed = await client.put("/v1/session/password", json=body | {"current_password": PASSWORD})
    assert changed.status_code == 200
    assert (await client.get("/v1/agents")).status_code == 200
    assert (await elsewhere.get("/v1/agents")).status_code == 401
    short = await client.put("/v1/session/password", json=body | {"new_password": "short"})
    assert short.status_code == 403, "the token changed with the session"


async def test_there_is_always_an_administrator_left(both: Stage) -> None:
    only = await both.user("admin", "only")
    assert (await both.http.delete(f"/v1/users/{only}")).status_code == 409
    assert (await both.http.patch(f"/v1/users/{only}", json={"role": "viewer"})).status_code == 409
    await both.user("admin", "other")
    assert (await both.http.delete(f"/v1/users/{only}")).status_code == 204
    assert (
        await both.http.post("/v1/users", json={"name": "OTHER", "role": "viewer", "password": PASSWORD})
    ).status_code == 409
