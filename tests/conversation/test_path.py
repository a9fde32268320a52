"""The walk along an agent's path: transitions with values, every type of step, and what survives an interruption."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import llm

from parlons.calls.timeline import Kind, Timeline
from parlons.conversation.session import Conversation
from parlons.telephony.types import Outcome
from tests.conversation.calls import GREETING, TestCall, agent, call, context
from tests.support.fakes import Call, FakeLine, FakeLLM, FakeProviders, Slow
from tests.support.virtual_time import run


def prompt(step: str, *transitions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": step,
        "type": "prompt",
        "prompt": f"Instructions of {step}.",
        "transitions": list(transitions),
        **fields,
    }


def transition(name: str, to: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "description": f"When {name}.", "to": to, **fields}


def path(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"start": steps[0]["id"], "steps": list(steps)}


DAY = {"name": "day", "description": "the day wanted", "type": "string", "required": True}
BOOK = transition("book", "rdv", extract=[DAY], message={"mode": "text", "text": "Très bien."})
TWO_STEPS = path(prompt("accueil", BOOK), prompt("rdv", transition("back", "accueil")))


def steps(test: TestCall) -> list[str]:
    return [event["step"] for event in test.events(Kind.STEP_ENTERED)]


def system(chat: llm.ChatContext) -> str:
    return "\n".join(m.text_content or "" for m in chat.messages() if m.role in ("system", "developer"))


def roles(chat: llm.ChatContext) -> list[tuple[str, str]]:
    return [(m.role, m.text_content or "") for m in chat.messages() if m.role in ("user", "assistant")]


# -- transitions -----------------------------------------------------------------------------------------------------


def test_a_transition_swaps_instructions_and_tools_keeps_the_conversation_and_opens_once() -> None:
    async def scenario() -> None:
        variables = context()
        async with call(
            Call("book", {"day": "lundi"}), "À quelle heure ?", path=TWO_STEPS, variables=variables
        ) as test:
            await test.agent_quiet()
            await test.exchange("Je voudrais un rendez-vous lundi.")
            await test.agent_quiet(2.0)
            assert test.words("agent") == [GREETING, "Très bien. À quelle heure ?"]
            assert [sorted(tools) for tools in test.model.tools] == [["book", "hang_up"], ["back", "hang_up"]]
            first, second = test.model.asked
            assert "Instructions of accueil." in system(first)
            assert "Instructions of rdv." in system(second)
            assert "Instructions of accueil." not in system(second)
            assert ("user", "Je voudrais un rendez-vous lundi.") in roles(second)
            assert "Très bien." in system(second)  # the model knows what is being said already
            assert variables.variables()["day"] == "lundi"
            assert variables.variables()["path"] == {"accueil": {"day": "lundi"}}
            assert test.events(Kind.STEP_ENTERED) == [
                {"step": "accueil", "name": "accueil"},
                {"step": "rdv", "name": "rdv", "from": "accueil", "transition": "book", "values": {"day": "lundi"}},
            ]
            await test.exchange("Merci.")
            assert len(test.words("agent")) == 3

    run(scenario())


def test_a_missing_value_is_asked_for_and_nothing_moves() -> None:
    async def scenario() -> None:
        variables = context()
        async with call(Call("book", {}), "Quel jour ?", path=TWO_STEPS, variables=variables) as test:
            await test.agent_quiet()
            await test.exchange("Je voudrais un rendez-vous.")
            assert steps(test) == ["accueil"]
            assert test.words("agent")[-1] == "Quel jour ?"
            outputs = [i for i in test.model.asked[1].items if i.type == "function_call_output"]
            assert "day is missing: the day wanted" in outputs[-1].output
            assert "day" not in variables.variables()

    run(scenario())


def test_the_later_value_wins_and_each_step_keeps_its_own() -> None:
    async def scenario() -> None:
        variables = context()
        again = transition("again", "accueil", extract=[DAY])
        agents_path = path(prompt("accueil", BOOK), prompt("rdv", again))
        replies = (Call("book", {"day": "lundi"}), "Sûr ?", Call("again", {"day": "mardi"}), "D'accord.")
        async with call(*replies, path=agents_path, variables=variables) as test:
            await test.agent_quiet()
            await test.exchange("Lundi.")
            await test.exchange("Non, mardi.")
            await test.until(lambda: steps(test) == ["accueil", "rdv", "accueil"])
            assert variables.variables()["day"] == "mardi"
            assert variables.variables()["path"] == {"accueil": {"day": "lundi"}, "rdv": {"day": "mardi"}}

    run(scenario())


def test_message_modes() -> None:
    """As written; made up by the model (asked to lead over); nothing but the step's own words."""
    heard = {}
    for mode in ("text", "generated", "silent"):

        async def scenario(mode: str = mode) -> None:
            message = {"mode": mode, "text": "Un instant."} if mode == "text" else {"mode": mode}
            agents_path = path(prompt("a", transition("go", "b", message=message)), prompt("b"))
            async with call(Call("go"), "Me voici.", path=agents_path) as test:
                await test.agent_quiet()
                await test.exchange("Allez.")
                await test.agent_quiet(2.0)
                heard[mode] = (test.words("agent")[1:], "lead over" in system(test.model.asked[1]))

        run(scenario())
    assert heard == {
        "text": (["Un instant. Me voici."], False),
        "generated": (["Me voici."], True),
        "silent": (["Me voici."], False),
    }


def test_what_the_model_says_with_the_call_is_heard_before_the_next_step() -> None:
    async def scenario() -> None:
        agents_path = path(prompt("a", transition("go", "b")), prompt("b"))
        async with call(Call("go", text="Je vous mets en relation."), "Service B.", path=agents_path) as test:
            await test.agent_quiet()
            await test.exchange("Service B s'il vous plaît.")
            await test.until(lambda: len(test.words("agent")) == 3)
            assert test.words("agent")[1:] == ["Je vous mets en relation.", "Service B."]
            assert ("assistant", "Je vous mets en relation.") in roles(test.model.asked[1])

    run(scenario())


def test_two_transitions_at_once_take_one() -> None:
    async def scenario() -> None:
        agents_path = path(prompt("a", transition("go", "b")), prompt("b"))
        async with call(Call("go", times=2), "B.", path=agents_path) as test:
            await test.agent_quiet()
            await test.exchange("Allez.")
            await test.agent_quiet(3.0)
            assert steps(test) == ["a", "b"]
            assert test.words("agent")[1:] == ["B."]

    run(scenario())


# -- interruptions ---------------------------------------------------------------------------------------------------


def test_words_spoken_over_the_change_are_answered_by_the_next_step_with_one_opening() -> None:
    async def scenario() -> None:
        agents_path = path(prompt("a", transition("go", "b")), prompt("b"))
        said = "Je vous passe tout de suite mon collègue du service après-vente, ne quittez pas surtout."
        async with call(Call("go", text=said), "Lundi, entendu.", path=agents_path) as test:
            await test.agent_quiet()
            await test.port.caller_says("Le service B.")
            heard = len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard + 20)
            await test.port.caller_says("Et pour lundi ?", 1.5)
            await test.until(lambda: test.words("agent")[-1] == "Lundi, entendu.")
            await test.agent_quiet(4.0)
            assert test.words("agent")[-1] == "Lundi, entendu."
            assert test.words("caller") == ["Le service B.", "Et pour lundi ?"]
            assert steps(test) == ["a", "b"]
            assert len(test.model.asked) == 2, "one opening only"
            assert ("user", "Et pour lundi ?") in roles(test.model.asked[1])

    run(scenario())


def test_an_opening_talked_over_is_not_said_again() -> None:
    async def scenario() -> None:
        opening = "Bienvenue au service des rendez-vous, quel jour et quelle heure vous conviendraient le mieux ?"
        agents_path = path(
            prompt("a", transition("go", "b", message={"mode": "text", "text": "Très bien."})), prompt("b")
        )
        async with call(Call("go"), opening, "Mardi, c'est noté.", path=agents_path) as test:
            await test.agent_quiet()
            await test.port.caller_says("Un rendez-vous.")
            heard = len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard + 50)
            await test.port.caller_says("Mardi.", 1.2)
            await test.until(lambda: test.words("agent")[-1] == "Mardi, c'est noté.")
            await test.agent_quiet(3.0)
            spoken = test.words("agent")[1:]
            assert spoken[0].startswith("Très bien. Bienvenue")
            assert opening not in spoken[0]
            assert spoken[1:] == ["Mardi, c'est noté."]
            assert steps(test) == ["a", "b"]

    run(scenario())


def test_a_cough_over_the_change_does_not_cost_the_opening() -> None:
    async def scenario() -> None:
        agents_path = path(prompt("a", transition("go", "b")), prompt("b"))
        async with call(Call("go", text="Très bien, je vous écoute alors."), "Quel jour ?", path=agents_path) as test:
            await test.agent_quiet()
            await test.port.caller_says("Un rendez-vous.")
            heard = len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard + 60)
            await test.port.caller_says("", 0.4)
            await test.until(lambda: test.words("agent")[-1] == "Quel jour ?")
            await test.agent_quiet(3.0)
            assert test.words("agent").count("Quel jour ?") == 1
            assert steps(test) == ["a", "b"]

    run(scenario())


def test_the_caller_who_leaves_in_the_middle_of_a_change_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        async with call(Call("book", {"day": "lundi"}), Slow("Encore.", first=3.0), path=TWO_STEPS) as test:
            await test.agent_quiet()
            await test.port.caller_says("Lundi.")
            await test.until(lambda: steps(test) == ["accueil", "rdv"])

    run(scenario())


def test_keys_pressed_on_the_way_are_answered_by_the_next_step() -> None:
    async def scenario() -> None:
        agents_path = path(prompt("a", transition("go", "b")), prompt("b"))
        said = "Je vous passe tout de suite mon collègue du service après-vente, ne quittez pas surtout."
        async with call(Call("go", text=said), "Le 12, noté.", path=agents_path) as test:
            await test.agent_quiet()
            await test.port.caller_says("Le service B.")
            heard = len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard + 20)
            for digit in "12#":
                test.conversation.heard_digits(digit, "rfc4733")
            await test.until(lambda: test.words("agent")[-1] == "Le 12, noté.")
            assert ("user", "[keypad: 12#]") in roles(test.model.asked[1])

    run(scenario())


# -- other steps -----------------------------------------------------------------------------------------------------


def test_say_branch_and_end() -> None:
    async def scenario() -> None:
        agents_path = path(
            prompt("a", transition("leave", "vip", extract=[{**DAY, "name": "status"}])),
            {
                "id": "vip",
                "type": "branch",
                "branches": [{"variable": "status", "operator": "equals", "value": "gold", "to": "merci"}],
                "else": "fin",
            },
            {"id": "merci", "type": "say", "text": "Merci {{ status }} !", "to": "fin"},
            {"id": "fin", "type": "end", "text": "Au revoir."},
        )
        async with call(Call("leave", {"status": "Gold"}), path=agents_path) as test:
            await test.agent_quiet()
            await test.port.caller_says("C'est fini.")
            end = await test.conversation.wait()
            assert (end.who, end.why, end.failed) == ("agent", "step fin", False)
            assert test.words("agent")[1:] == ["Merci Gold ! Au revoir."]
            assert steps(test) == ["a", "vip", "merci", "fin"]
            assert test.events(Kind.STEP_ENTERED)[2] == {
                "step": "merci",
                "name": "merci",
                "from": "vip",
                "condition": "status equals gold",
            }
            loop = asyncio.get_running_loop()
            assert loop.time() - test.port.last_sound() >= 0.15, "the goodbye is played to its last sample"

    run(scenario())


def test_a_path_may_start_with_a_branch_and_the_greeting_is_the_only_opening() -> None:
    async def scenario() -> None:
        variables = context()
        variables.merge({"vip": True})
        agents_path = path(
            {
                "id": "tri",
                "type": "branch",
                "branches": [{"variable": "vip", "operator": "is_true", "to": "or"}],
                "else": "tous",
            },
            prompt("or"),
            prompt("tous"),
        )
        async with call("Bien sûr.", path=agents_path, variables=variables) as test:
            await test.agent_quiet(4.0)
            assert test.words("agent") == [GREETING]
            assert not test.model.asked
            await test.exchange("Une question.")
            assert "Instructions of or." in system(test.model.asked[0])
            assert steps(test) == ["tri", "or"]

    run(scenario())


def test_a_path_that_starts_with_words_says_them_and_goes_on() -> None:
    async def scenario() -> None:
        agents_path = path({"id": "dire", "type": "say", "text": "Ici Acme.", "to": "a"}, prompt("a"))
        async with call("Que puis-je faire ?", path=agents_path, greeting=None) as test:
            await test.agent_quiet(3.0)
            assert test.words("agent") == ["Ici Acme. Que puis-je faire ?"]

    run(scenario())


def test_steps_that_lead_in_a_circle_end_the_conversation_instead_of_hanging() -> None:
    async def scenario() -> None:
        agents_path = path(
            {
                "id": "tri",
                "type": "branch",
                "branches": [{"variable": "x", "operator": "is_true", "to": "a"}],
                "else": "encore",
            },
            {"id": "encore", "type": "say", "text": "Et encore.", "to": "tri"},
            prompt("a"),
        )
        async with call(path=agents_path) as test:
            end = await test.conversation.wait()
            assert end.failed
            assert "circle" in end.error

    run(scenario())


def test_a_transfer_step_takes_the_way_of_its_outcome_and_the_next_step_knows() -> None:
    async def scenario() -> None:
        line = FakeLine(Outcome.BUSY)
        action = {
            "type": "transfer",
            "name": "Support",
            "description": "Le support.",
            "destinations": [{"phone": "+33123456789", "description": "Support"}],
        }
        agents_path = path(
            prompt("a", transition("go", "joindre", message={"mode": "text", "text": "Je vous le passe."})),
            {"id": "joindre", "type": "transfer", "action": "Support", "outcomes": {"busy": "occupe"}, "else": "a"},
            prompt("occupe"),
        )
        variables = context()
        replies = (Call("go"), "La ligne est occupée.")
        async with call(*replies, path=agents_path, actions=[action], line=line, variables=variables) as test:
            await test.agent_quiet()
            await test.port.caller_says("Le support.")
            await test.until(lambda: test.words("agent")[-1] == "La ligne est occupée.")
            assert [order.user for order in line.orders] == ["+33123456789"]
            assert "(busy)" in system(test.model.asked[1])
            assert steps(test) == ["a", "joindre", "occupe"]
            assert test.events(Kind.STEP_ENTERED)[-1]["outcome"] == "busy"
            assert variables.variables()["path"]["joindre"] == {"outcome": "busy"}

    run(scenario())


# -- what a step changes ---------------------------------------------------------------------------------------------


def test_actions_are_offered_where_they_are_enabled() -> None:
    async def scenario() -> None:
        agents_path = path(prompt("a", transition("go", "b"), actions=["Raccrocher"]), prompt("b"))
        actions = [{"type": "hang_up", "name": "Raccrocher", "description": "Fin."}]
        async with call(Call("go"), "B.", path=agents_path, actions=actions) as test:
            await test.agent_quiet()
            await test.exchange("Allez.")
            assert [sorted(tools) for tools in test.model.tools] == [["go", "raccrocher"], []]

    run(scenario())


def test_each_step_has_its_own_end_of_speech() -> None:
    async def scenario() -> None:
        agents_path = path(prompt("a", transition("go", "b")), prompt("b", end_of_speech_ms=2500))
        async with call(Call("go"), "B.", "Voilà.", path=agents_path) as test:
            await test.agent_quiet()
            await test.exchange("Allez.")
            await test.agent_quiet()
            loop = asyncio.get_running_loop()
            await test.port.caller_says("Une phrase.")
            stopped = loop.time()
            await test.until(lambda: test.port.last_sound() > stopped)
            assert 2.3 <= test.port.last_sound() - stopped <= 3.2

    run(scenario())


def test_a_step_nobody_may_interrupt() -> None:
    async def scenario() -> None:
        long = "Ceci est une mention que la loi impose et que personne ne peut interrompre, merci de l'écouter."
        agents_path = path(prompt("a", transition("go", "b")), prompt("b", interruptible=False))
        async with call(Call("go"), long, path=agents_path) as test:
            await test.agent_quiet()
            await test.port.caller_says("Allez.")
            heard = len(test.port.spoken)
            await test.until(lambda: len(test.port.spoken) > heard + 20)
            await test.port.caller_says("Stop !", 1.5)
            await test.agent_quiet(2.0)
            assert long in test.words("agent")

    run(scenario())


def test_a_sensitive_step_keeps_nothing_it_heard() -> None:
    async def scenario() -> None:
        code = {**DAY, "name": "code"}
        agents_path = path(
            prompt("a", transition("go", "secret")),
            prompt("secret", transition("done", "b", extract=[code]), sensitive=True),
            prompt("b"),
        )
        replies = (Call("go"), "Votre code ?", Call("done", {"code": "4321"}), "Merci.")
        async with call(*replies, path=agents_path) as test:
            await test.agent_quiet()
            await test.exchange("Allez.")
            await test.agent_quiet()
            assert test.conversation.sensitive
            test.conversation.heard_digits("4", "rfc4733")
            await test.exchange("Quatre mille trois cent vingt et un.")
            await test.until(lambda: steps(test) == ["a", "secret", "b"])
            await test.agent_quiet()
            assert not test.conversation.sensitive
            kept = repr([event.payload for event in test.timeline.events])
            for heard in ("4321", "Quatre mille", "Votre code"):
                assert heard not in kept
            assert test.words("agent")[:2] == [GREETING, "Merci."]

    run(scenario())


def test_paths_are_walked_in_text_too() -> None:
    async def scenario() -> None:
        conversation = Conversation(
            agent=agent(path=TWO_STEPS),
            agent_id="essai",
            context=context(),
            providers=FakeProviders(stt=[], llm=[FakeLLM(Call("book", {"day": "lundi"}), "À quelle heure ?")], tts=[]),
            timeline=Timeline(),
            audio=None,
        )
        try:
            await conversation.start()
            assert await conversation.replies() == [GREETING]
            assert await conversation.type("Je voudrais un rendez-vous lundi.") == ["Très bien. À quelle heure ?"]
        finally:
            await conversation.close()

    run(scenario())
