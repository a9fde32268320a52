"""The rule-based model, driven as the plug-in it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from livekit.agents import llm

from parlons.conversation.actions.keypad import WRONG
from parlons.conversation.actions.wait import NO_MORE
from parlons.conversation.answering_machine import LEAVE_MESSAGE, MACHINE
from parlons.conversation.embedded.model import EmbeddedModel
from parlons.conversation.embedded.phrases import replies
from parlons.conversation.embedded.recogniser import vocabulary
from parlons.conversation.prompt import step_opening

PROMPT = """Tu es l'accueil de la société Acme. Sois brève.
- horaires, ouverture, vous êtes ouverts : Nous sommes ouverts de neuf heures à dix-huit heures.
- horaires du samedi : Le samedi, nous fermons à midi.
- adresse, où êtes-vous : Nous sommes au douze rue des Lilas.
Note : ne parle pas de prix.
"""
HANG_UP = {"name": "raccrocher", "description": "Hang up once the caller has said goodbye.", "parameters": {}}
SUPPORT = {
    "name": "transfert_support",
    "description": "Passe l'appelant au support technique",
    "parameters": {
        "type": "object",
        "properties": {"destination": {"enum": ["d1", "d2"], "description": "d1: dépannage internet; d2: facturation"}},
        "required": ["destination"],
    },
}
APPOINTMENT = {
    "name": "take_appointment",
    "description": "The caller wants an appointment",
    "parameters": {
        "type": "object",
        "properties": {"day": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["day", "count"],
    },
}
KEYPAD = {
    "name": "interaction_clavier",
    "description": "Press keys on the telephone keypad",
    "parameters": {"type": "object", "properties": {"digits": {"type": "string"}}, "required": ["digits"]},
}
WAIT = {"name": "attendre", "description": "Say nothing and keep listening.", "parameters": {"type": "object"}}


def tool(schema: dict[str, Any]) -> llm.Tool:
    async def run(raw_arguments: dict[str, object]) -> None:
        raise AssertionError("the model never runs a tool")

    parameters = schema["parameters"] or {"type": "object", "properties": {}}
    return llm.function_tool(run, raw_schema={**schema, "parameters": parameters})


class Talk:
    """A conversation with the model: say something, get (text, calls)."""

    def __init__(self, *tools: dict[str, Any], language: str = "fr-FR", prompt: str = PROMPT) -> None:
        self.model = EmbeddedModel(language)
        self.tools = [tool(t) for t in tools]
        self.context = llm.ChatContext()
        self.context.add_message(role="system", content=prompt)

    async def answer(self, **options: Any) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
        got = await self.model.chat(chat_ctx=self.context, tools=self.tools, **options).collect()
        if got.text:
            self.context.add_message(role="assistant", content=got.text)
        return got.text, [(c.name, json.loads(c.arguments)) for c in got.tool_calls]

    async def say(self, words: str, **options: Any) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
        self.context.add_message(role="user", content=words)
        return await self.answer(**options)

    def result(self, name: str, output: str, *, error: bool = False) -> None:
        self.context.items.append(llm.FunctionCall(call_id="c1", name=name, arguments="{}"))
        self.context.items.append(llm.FunctionCallOutput(call_id="c1", name=name, output=output, is_error=error))


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("quels sont vos horaires", "Nous sommes ouverts"),
        ("L'HORAIRE s'il vous plaît ?", "Nous sommes ouverts"),
        ("vous etes ouverts", "Nous sommes ouverts"),
        ("les horaires du samedi", "Le samedi"),
        ("où êtes-vous", "douze rue"),
    ],
)
async def test_lines_of_the_prompt(said: str, answer: str) -> None:
    text, calls = await Talk().say(said)
    assert answer in text
    assert calls == []


async def test_answers_are_streamed_in_pieces() -> None:
    talk = Talk()
    talk.context.add_message(role="user", content="horaires")
    pieces = [c.delta.content async for c in talk.model.chat(chat_ctx=talk.context) if c.delta]
    assert len(pieces) > 3
    assert "".join(p or "" for p in pieces).startswith("Nous sommes ouverts de neuf")


@pytest.mark.parametrize("prompt", [PROMPT, "Sois brève."])
@pytest.mark.parametrize("language", ["fr-FR", "en-GB", "de-DE"])
async def test_not_understood_never_sounds_alike_three_times(prompt: str, language: str) -> None:
    talk = Talk(prompt=prompt, language=language)
    heard = [(await talk.say("xylophone"))[0] for _ in range(6)]
    assert all(len(set(heard[i : i + 3])) == 3 for i in range(4))


async def test_not_understood_offers_what_the_prompt_knows() -> None:
    text, _ = await Talk().say("xylophone")
    assert "horaires" in text
    assert "adresse" in text


@pytest.mark.parametrize("said", ["au revoir", "merci, au revoir", "Bonne journée !", "A bientot"])
async def test_goodbye_says_it_and_hangs_up(said: str) -> None:
    text, calls = await Talk(SUPPORT, HANG_UP).say(said)
    assert "Au revoir" in text
    assert calls == [("raccrocher", {})]


async def test_goodbye_in_english_with_the_default_tool() -> None:
    hidden = {"name": "hang_up", "description": "The conversation is over.", "parameters": {}}
    text, calls = await Talk(hidden, language="en-US").say("thanks, bye")
    assert "Goodbye" in text
    assert calls == [("hang_up", {})]


async def test_a_tool_that_says_the_goodbye_itself_gets_it() -> None:
    parameters = {"type": "object", "properties": {"goodbye": {"type": "string"}}}
    text, calls = await Talk({**HANG_UP, "parameters": parameters}).say("au revoir")
    assert text == ""
    assert "Au revoir" in calls[0][1]["goodbye"]


async def test_goodbye_without_a_tool_is_only_said() -> None:
    text, calls = await Talk().say("au revoir")
    assert "Au revoir" in text
    assert calls == []


async def test_tools_may_be_forbidden() -> None:
    assert (await Talk(HANG_UP).say("au revoir", tool_choice="none"))[1] == []


@pytest.mark.parametrize(
    ("said", "destination"), [("le support pour le dépannage", "d1"), ("le support, facturation", "d2")]
)
async def test_a_choice_is_picked_by_its_description(said: str, destination: str) -> None:
    assert (await Talk(HANG_UP, SUPPORT).say(said))[1] == [("transfert_support", {"destination": destination})]


async def test_a_choice_that_cannot_be_told_is_asked_for() -> None:
    text, calls = await Talk(SUPPORT).say("je voudrais le support")
    assert "préciser" in text
    assert calls == []


async def test_arguments_come_from_the_callers_words() -> None:
    said = "an appointment on monday for 3"
    _, calls = await Talk(APPOINTMENT, language="en-GB").say(said)
    assert calls == [("take_appointment", {"day": said, "count": 3})]


async def test_keys_are_pressed_when_a_menu_asks() -> None:
    assert (await Talk(KEYPAD).say("pour le support, tapez 2"))[1] == [("interaction_clavier", {"digits": "2"})]
    assert (await Talk(KEYPAD).say("pour le support, ne tapez rien"))[1] == []


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ("tapez 2#", "2#"),
        ("pour 3 personnes, appuyez sur la touche 4", "4"),
        ("pour les ventes tapez un, pour le support tapez deux", "1"),
        ("veuillez composer le 1 2 3 puis dièse", ""),
        ("composez le un deux trois puis dièse", "123#"),
        ("press one, then the pound key", "1#"),
    ],
)
async def test_keys_are_those_named_after_the_word_that_asks_for_them(said: str, keys: str) -> None:
    calls = (await Talk(KEYPAD).say(said))[1]
    assert calls == ([("interaction_clavier", {"digits": keys})] if keys else [])


async def test_what_a_tool_of_menus_refuses_is_not_read_out() -> None:
    for one, output in ((KEYPAD, WRONG), (WAIT, NO_MORE)):
        talk = Talk(one)
        talk.result(str(one["name"]), output)
        text, calls = await talk.answer()
        assert text
        assert "Not done" not in text
        assert calls == []


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("- horaires : À neuf heures.\nSur un répondeur, dire « Rappelez le garage. »", "Rappelez le garage."),
        ("Dis « Bonjour ».", replies("fr-FR").says_goodbye),
    ],
)
async def test_on_an_answering_machine_it_leaves_the_message_of_its_prompt_and_hangs_up(prompt: str, said: str) -> None:
    talk = Talk(HANG_UP, prompt=prompt)
    talk.context.add_message(role="user", content="laissez un message")
    talk.context.add_message(role="system", content=f"{MACHINE} {LEAVE_MESSAGE}")
    text, calls = await talk.answer()
    assert text == said
    assert [name for name, _ in calls] == [HANG_UP["name"]]


async def test_asked_to_hold_it_waits() -> None:
    assert (await Talk(WAIT).say("ne quittez pas"))[1] == [("attendre", {})]


@pytest.mark.parametrize("said", ["bonjour", "je veux appeler", "quelque chose avec vous"])
async def test_small_words_trigger_no_tool(said: str) -> None:
    assert (await Talk(SUPPORT, APPOINTMENT, HANG_UP, KEYPAD, WAIT).say(said))[1] == []


@pytest.mark.parametrize(
    ("output", "error", "expected"),
    [
        ('{"outcome": "busy"}', False, "occupée"),
        ("no_answer", False, "Personne"),
        ('{"result": "La commande 12 est partie."}', False, "La commande 12 est partie."),
        ('{"passages": [{"title": "FAQ", "text": "Le service est gratuit."}]}', False, "gratuit"),
        ('{"passages": []}', False, "pas trouvé"),
        ("boom", True, "pas fonctionné"),
        ('{"error": "timeout"}', False, "pas fonctionné"),
        ("", False, "C'est fait"),
    ],
)
async def test_after_a_tool_it_speaks_and_calls_nothing(output: str, error: bool, expected: str) -> None:
    talk = Talk(SUPPORT)
    talk.context.add_message(role="user", content="le support pour le dépannage")
    talk.result("transfert_support", output, error=error)
    text, calls = await talk.answer()
    assert expected in text
    assert calls == []


async def test_refused_hang_up_goes_on_talking() -> None:
    talk = Talk(HANG_UP)
    talk.context.add_message(role="user", content="au revoir")
    talk.result("raccrocher", "Not yet: ask 1 more time.")
    text, calls = await talk.answer()
    assert "autre chose" in text
    assert calls == []


async def test_asked_to_speak_first() -> None:
    talk = Talk()
    talk.context.add_message(role="system", content="Dis « Êtes-vous prêt ? » au client")
    assert (await talk.answer())[0] == "Êtes-vous prêt ?"
    empty = await EmbeddedModel("fr-FR").chat(chat_ctx=llm.ChatContext()).collect()
    assert empty.text


@pytest.mark.parametrize(
    ("note", "step", "expected"),
    [
        ("", "Demande le jour : « Quel jour vous conviendrait ? »", "Quel jour vous conviendrait ?"),
        ("", "Prends le rendez-vous.", "Je vous écoute."),
        (
            "The call could not be put through (busy): the line is busy.",
            "Demande : « Quel jour ? »",
            "La ligne est occupée. Puis-je vous aider autrement ?",
        ),
    ],
)
async def test_a_step_opens_with_words_of_its_own(note: str, step: str, expected: str) -> None:
    """The caller's last words led here: they are not taken for a new wish, and call no tool."""
    talk = Talk(APPOINTMENT, prompt=f"{PROMPT}\nDis toujours « merci ».\n\n{step}")
    talk.context.add_message(role="user", content="je veux un appointment lundi pour 3")
    talk.context.add_message(role="system", content=step_opening(text="", made_up=False, note=note))
    assert await talk.answer() == (expected, [])


async def test_repeats_itself_when_asked() -> None:
    talk = Talk()
    await talk.say("adresse")
    assert "douze rue" in (await talk.say("pardon ?"))[0]


async def test_same_conversation_same_answer() -> None:
    assert [await Talk(SUPPORT).say("dépannage") for _ in range(3)] == [await Talk(SUPPORT).say("dépannage")] * 3


async def test_a_description_may_list_the_words_that_call_for_it() -> None:
    described = {**SUPPORT, "description": "Le technicien. Mots : panne, ça marche pas.", "parameters": {}}
    assert await Talk(described).say("j'ai une panne") == ("", [("transfert_support", {})])
    assert vocabulary([], [str(described["description"])]) == ("panne", "ça marche pas")
