"""The rules of the embedded model: what is said so far and which tools exist, in; one answer or one tool call, out.

Pure and deterministic: no clock, no I/O, no plug-in types but the chat items it reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from livekit.agents import llm

from ..answering_machine import LEAVE_MESSAGE
from ..prompt import STEP_OPENING, TAKEN_OVER
from .phrases import Pack, replies
from .words import Line, best_line, fold, hints, holds, holds_any, lines, stem, words

KEYPAD_LETTERS = 12
"""What being asked to press a key weighs against a line of the prompt."""
MAX_SPOKEN_RESULT = 400
"""Characters of a tool's result that are read out."""

_HANG_UP = ("hang up", "hang_up", "hangup", "end the call", "end_call", "raccroch", "terminer l'appel", "mettre fin")
_WAIT = ("wait", "hold on", "attend", "patient", "hold music")
_KEYPAD = ("keypad", "clavier", "dtmf", "press key")
_SPOKEN_BY_TOOL = ("goodbye", "message", "farewell", "text")
_STOP_WORDS = frozenset(
    stem(w)
    for w in (
        "with your when they them that this then than have from what want would like caller call calls user "
        "person people asks asked need needs please into about tool action agent uses used after before only "
        "there here line transfer speak talk says said does will "
        "avec dans pour cette quand elle vous nous votre vos notre leur client appelant appel appels veut voudrais "
        "souhaite demande demander personne quelque chose lorsque outil parler dire plus sans mais "
        "transfert transferer etre avoir faire sont quel quels quelle quelles"
    ).split()
)
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_KEYS = re.compile(r"[0-9*#]+")
_PRESS = frozenset(stem(w) for w in "press dial type tapez appuyez composez faites".split())
_BESIDE_KEYS = frozenset("sur la le les touche touches puis et the key keys on number then and".split())
_SPOKEN_KEYS = {
    word: key
    for key, spoken in {
        "0": "zero", "1": "un one", "2": "deux two", "3": "trois three", "4": "quatre four", "5": "cinq five",
        "6": "six", "7": "sept seven", "8": "huit eight", "9": "neuf nine", "*": "etoile star",
        "#": "diese pound hash",
    }.items()
    for word in spoken.split()
}  # fmt: skip
_MESSAGE = ("repondeur", "messagerie", "voicemail", "answering machine", "message")
_TOKEN = re.compile(r"[0-9*#]+|[^\W_]+")
_OUTCOME = re.compile(r"\(([a-z_]+)\)")
_QUOTED = re.compile(r"[«“\"]\s*([^«»“”\"]{2,300}?)\s*[»”\"]")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the model sees it."""

    name: str
    description: str
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def is_about(self, marks: Sequence[str]) -> bool:
        about = fold(f"{self.name} {self.description}")
        return any(mark in about for mark in marks)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say, what to call (tool name, arguments), or both: the text is then said first."""

    text: str = ""
    call: tuple[str, dict[str, Any]] | None = None


def tool_of(schema: dict[str, Any]) -> Tool:
    """A tool out of its chat-completions schema."""
    function = schema["function"]
    parameters = function.get("parameters") or {}
    return Tool(
        function["name"],
        function.get("description") or "",
        parameters.get("properties") or {},
        tuple(parameters.get("required") or ()),
    )


def decide(items: Sequence[llm.ChatItem], tools: Sequence[Tool], language: str) -> Reply:
    """The next thing to do in this conversation."""
    pack = replies(language)
    messages = [i for i in items if i.type == "message"]
    prompt = "\n".join(m.text_content or "" for m in messages if m.role in ("system", "developer"))
    answers = lines(prompt)
    last = _last(items)
    if last is not None and last.type == "function_call_output":
        tool = next((t for t in tools if t.name == last.name), Tool(last.name, ""))
        return Reply(_after(last, tool, pack))
    instruction = messages[-1].text_content or "" if messages and messages[-1].role in ("system", "developer") else ""
    if LEAVE_MESSAGE in instruction:
        return _leave_message(prompt, tools, pack)
    if STEP_OPENING in instruction or TAKEN_OVER in instruction:
        return Reply(_step_words(messages[0].text_content or "", instruction, pack))
    if last is None or last.type != "message" or last.role != "user":
        return Reply(_unprompted(last, pack))
    text = last.text_content or ""
    said = words(text)
    return (
        _guarded(text, said, tools, pack)
        or _call_or_answer(text, said, answers, tools, pack)
        or Reply(_small_talk(said, messages, pack) or _misunderstood(messages, answers, pack))
    )


def _last(items: Sequence[llm.ChatItem]) -> llm.ChatItem | None:
    """The item to react to: the caller's words even when an instruction follows them, a tool's answer, or whatever
    instruction closes the conversation."""
    spoken = [i for i in items if i.type in ("message", "function_call_output")]
    for item in reversed(spoken):
        if item.type != "message" or item.role not in ("system", "developer"):
            if item.type == "message" and item.role == "user":
                return item
            break
    return spoken[-1] if spoken else None


def _guarded(text: str, said: list[str], tools: Sequence[Tool], pack: Pack) -> Reply | None:
    """Goodbyes and requests to wait: they mean the same whatever else was said."""
    if holds_any(said, pack.goodbye):
        for tool in tools:
            if tool.is_about(_HANG_UP):
                return _hang_up(tool, text, pack)
        return Reply(pack.says_goodbye)
    if holds_any(said, pack.wait):
        for tool in tools:
            if tool.is_about(_WAIT) and (arguments := _arguments(tool, text, said)) is not None:
                return Reply(call=(tool.name, arguments))
    return None


def _hang_up(tool: Tool, text: str, pack: Pack) -> Reply:
    arguments = _arguments(tool, text, words(text)) or {}
    for name, schema in tool.properties.items():
        if schema.get("type") == "string" and any(mark in fold(name) for mark in _SPOKEN_BY_TOOL):
            return Reply(call=(tool.name, {**arguments, name: pack.says_goodbye}))
    return Reply(pack.says_goodbye, (tool.name, arguments))


def _call_or_answer(
    text: str, said: list[str], answers: Sequence[Line], tools: Sequence[Tool], pack: Pack
) -> Reply | None:
    """The tool or the line whose words match best; a line wins a tie."""
    line = best_line(said, answers)
    scored = [(_score(tool, said), tool) for tool in tools if not tool.is_about(_HANG_UP) and not tool.is_about(_WAIT)]
    score, tool = max(scored, key=lambda pair: pair[0], default=(0, None))
    if tool is not None and score > (line[1] if line else 0):
        arguments = _arguments(tool, text, said)
        return Reply(pack.says_which) if arguments is None else Reply(call=(tool.name, arguments))
    return Reply(line[0].answer) if line else None


def _telling(text: str) -> set[str]:
    return {stem(w) for w in words(text.replace("_", " ")) if len(w) > 3} - _STOP_WORDS


def _score(tool: Tool, said: list[str]) -> int:
    """Letters of the caller's telling words found in the tool's name and choices (twice) or in its description."""
    heard = _telling(" ".join(said))
    if tool.is_about(_KEYPAD):
        return 2 * KEYPAD_LETTERS if _keys(said) else 0
    strong = _telling(tool.name) | {
        w for p in tool.required for w in _telling(_choices_text(tool.properties.get(p, {})))
    }
    weak = _telling(tool.description) - strong
    told = max((len(hint) for hint in hints(tool.description) if holds(said, hint)), default=0)
    return 2 * sum(len(w) for w in heard & strong) + sum(len(w) for w in heard & weak if len(w) > 4) + 3 * told


def _choices_text(schema: dict[str, Any]) -> str:
    if "enum" not in schema:
        return ""
    return " ".join([*(str(choice) for choice in schema["enum"]), str(schema.get("description", ""))])


def _arguments(tool: Tool, text: str, said: list[str]) -> dict[str, Any] | None:
    """Values for the required arguments out of the caller's words, or None when one cannot be told."""
    arguments: dict[str, Any] = {}
    for name in tool.required:
        value = _value(name, tool.properties.get(name, {}), tool, text, said)
        if value is None:
            return None
        arguments[name] = value
    return arguments


def _value(name: str, schema: dict[str, Any], tool: Tool, text: str, said: list[str]) -> Any:
    if "enum" in schema:
        return _choice(schema, tool, said)
    kind = schema.get("type", "string")
    if kind in ("integer", "number"):
        match = _NUMBER.search(text)
        if match is None:
            return None
        number = float(match[0].replace(",", "."))
        return int(number) if kind == "integer" else number
    if kind == "boolean":
        return not holds_any(said, ("non", "no", "pas", "not"))
    if kind != "string":
        return None
    if tool.is_about(_KEYPAD):
        return _keys(_TOKEN.findall(fold(text))) or None
    return text.strip() or None


def _keys(said: list[str]) -> str:
    """The keys that are named after a word that asks to press them: the first such choice of a menu."""
    for at, word in enumerate(said):
        if stem(word) not in _PRESS:
            continue
        keys = ""
        for following in said[at + 1 :]:
            key = following if _KEYS.fullmatch(following) else _SPOKEN_KEYS.get(following, "")
            if not key and following not in _BESIDE_KEYS:
                break
            keys += key
        if keys:
            return keys[:32]
    return ""


def _leave_message(prompt: str, tools: Sequence[Tool], pack: Pack) -> Reply:
    """On an answering machine: the words quoted in a line of the prompt that is about it, else a goodbye; then gone."""
    about = [line for line in prompt.splitlines() if any(mark in fold(line) for mark in _MESSAGE)]
    quoted = [words for line in about for words in _QUOTED.findall(line)]
    leave = next((tool for tool in tools if tool.is_about(_HANG_UP)), None)
    return Reply(quoted[0] if quoted else pack.says_goodbye, (leave.name, {}) if leave is not None else None)


def _choice(schema: dict[str, Any], tool: Tool, said: list[str]) -> Any:
    """The choice whose value, or whose line in a description, shares most with the caller's words."""
    choices = list(schema["enum"])
    if len(choices) == 1:
        return choices[0]
    heard = _telling(" ".join(said))
    described = f"{schema.get('description', '')}\n{tool.description}"
    best, best_score = None, 0
    for choice in choices:
        about = [str(choice)] + [p for p in re.split(r"[\n;]", described) if holds(words(p), str(choice))]
        score = sum(len(w) for w in heard & _telling(" ".join(about)))
        if score > best_score:
            best, best_score = choice, score
    return best


def _after(output: llm.FunctionCallOutput, tool: Tool, pack: Pack) -> str:
    """What to say once a tool has answered."""
    if output.is_error:
        return pack.says_failed
    if tool.is_about(_HANG_UP):
        return pack.says_more
    if tool.is_about(_KEYPAD):
        return pack.says_failed
    if tool.is_about(_WAIT):
        return pack.says_there
    try:
        result = json.loads(output.output)
    except ValueError:
        result = output.output
    return _spoken(result, pack) or pack.says_done


def _spoken(result: Any, pack: Pack) -> str:
    """The sentence inside a result: an outcome's own, else the first text found where results keep theirs."""
    if isinstance(result, str):
        return pack.outcomes.get(result.strip(), result.strip()[:MAX_SPOKEN_RESULT])
    if isinstance(result, list):
        return _spoken(result[0], pack) if result else pack.says_nothing_found
    if isinstance(result, dict):
        if result.get("error"):
            return pack.says_failed
        if (outcome := result.get("outcome")) in pack.outcomes:
            return pack.outcomes[outcome]
        for key in ("say", "answer", "message", "text", "result", "passages", "results", "summary"):
            if key in result and (text := _spoken(result[key], pack)):
                return text
    return ""


def _unprompted(last: llm.ChatItem | None, pack: Pack) -> str:
    """Asked to speak with nothing said: the words quoted in the instruction, else something that fits it."""
    instruction = (last.text_content or "") if last is not None and last.type == "message" else ""
    if last is None or last.type != "message" or last.role not in ("system", "developer"):
        return pack.says_listening
    tail = instruction.strip().rsplit("\n", 1)[-1]
    if quoted := _QUOTED.search(tail):
        return quoted[1]
    if any(mark in fold(tail) for mark in ("still there", "silen", "toujours la")):
        return pack.says_there
    if any(mark in fold(tail) for mark in ("goodbye", "au revoir", "closing")):
        return pack.says_goodbye
    return pack.outcomes.get(next((o for o in pack.outcomes if o in tail), ""), pack.says_listening)


def _step_words(prompt: str, instruction: str, pack: Pack) -> str:
    """The first words of a step: what happened on the way, the last words quoted in its prompt's last paragraph, or
    a readiness to listen."""
    if outcome := _OUTCOME.search(instruction):
        return pack.outcomes.get(outcome[1], pack.says_failed)
    quoted = _QUOTED.findall(prompt.rstrip().rsplit("\n\n", 1)[-1])
    return quoted[-1] if quoted else pack.says_listening


def _small_talk(said: list[str], messages: Sequence[llm.ChatMessage], pack: Pack) -> str | None:
    if holds_any(said, pack.repeat):
        spoken = [m.text_content for m in messages if m.role == "assistant" and m.text_content]
        if spoken:
            return spoken[-1]
    for phrases, answer in (
        (pack.thanks, pack.says_thanks),
        (pack.no, pack.says_no),
        (pack.yes, pack.says_yes),
        (pack.greeting, pack.says_welcome),
    ):
        if holds_any(said, phrases):
            return answer
    return None


def _misunderstood(messages: Sequence[llm.ChatMessage], answers: Sequence[Line], pack: Pack) -> str:
    """Not understood: another wording for each time in a row, with subjects to choose from every other time."""
    variants = _variants(answers, pack)
    in_a_row = 0
    for message in reversed(messages):
        if message.role == "assistant":
            if message.text_content not in variants:
                break
            in_a_row += 1
    return variants[in_a_row % len(variants)]


def _variants(answers: Sequence[Line], pack: Pack) -> list[str]:
    topics = [line.keywords[0] for line in answers]
    if not topics:
        return [pack.misunderstood_bare[0], pack.misunderstood[1], pack.misunderstood_bare[1]]
    return [
        text.format(_offer(topics[:3] if i == 0 else topics[-3:], pack)) for i, text in enumerate(pack.misunderstood)
    ]


def _offer(topics: list[str], pack: Pack) -> str:
    listed = topics[0] if len(topics) == 1 else f"{', '.join(topics[:-1])} {pack.or_word} {topics[-1]}"
    return pack.topic.format(listed)
