"""``/v1/transfer-numbers``: destinations of a transfer out of a CSV file (looked at, then confirmed), and back."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from parlons.agents import number_import
from parlons.agents.actions import Destination, TransferAction
from parlons.agents.models import Agent
from parlons.configuration.kinds import AGENTS
from parlons.errors import ConfigurationError, Conflict, InvalidDocument, NotFound

from ..access import Principal, Reader, Writer
from ..bodies import PROBLEMS, MaybeRevision, Shape, answer, returns
from ..changes import note
from ..idempotency import Route
from ..problems import Stale, UnsupportedMediaType
from ..services import Parts, Services

router = APIRouter(prefix="/v1/transfer-numbers", tags=["transfer-numbers"], route_class=Route)

CSV = "text/csv"
_Agent = Annotated[str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
_Action = Annotated[str, Query(min_length=1, max_length=64, description="name of the transfer action")]
_Separator = Annotated[Literal["comma", "semicolon", "tab"], Query(description="semicolon where Excel is French")]
_SEPARATORS: dict[str, number_import.Separator] = {"comma": ",", "semicolon": ";", "tab": "\t"}


class RawCsv:
    """A dependency: the request's body as the bytes of a CSV file."""

    async def __call__(self, request: Request) -> bytes:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != CSV:
            raise UnsupportedMediaType("the body must be a CSV file.", hint=f"Send Content-Type: {CSV}.")
        return await request.body()


class ImportRow(Shape):
    """What became of one row of the file."""

    line: Annotated[int, Field(description="of the file; the headings are usually line 1")]
    value: Annotated[str, Field(description="the phone as written")]
    outcome: Literal["accepted", "duplicate", "refused"]
    phone: Annotated[str | None, Field(description="as read")]
    description: str
    reason: str


class NumberImport(Shape):
    """The answer to a file: every row that is not blank."""

    saved_revision: Annotated[int | None, Field(description="of the draft that has them now; null: only looked at")]
    accepted: int
    duplicate: int
    refused: int
    separator: str
    encoding: str
    ignored_columns: list[str]
    rows: list[ImportRow]
    destinations: Annotated[list[Destination], Field(description="the accepted ones, as a transfer action takes them")]


def _download(name: str, *problems: int) -> dict[str, Any]:
    content = {CSV: {"schema": {"type": "string", "format": "binary"}}}
    return {
        "response_class": Response,
        "responses": {200: {"description": f"{name}, in UTF-8 with a byte order mark", "content": content}},
        "openapi_extra": {PROBLEMS: list(problems)},
    }


@router.post("/import", **returns(NumberImport, 200, 409))
async def import_transfer_numbers(
    who: Writer,
    parts: Parts,
    revision: MaybeRevision,
    data: Annotated[bytes, Depends(RawCsv())],
    agent_id: _Agent | None = None,
    action: _Action | None = None,
    country: Annotated[str | None, Query(pattern="^[A-Za-z]{2}$", description="whose national numbers to take")] = None,
    confirm: Annotated[bool, Query(description="store the accepted rows; without, nothing is stored")] = False,
) -> Response:
    """Read a CSV file with the columns ``phone`` and ``description``, and say of every row what became of it.

    With ``agent_id`` and ``action`` the destinations that the draft's action has already are duplicates; with
    ``confirm`` too, the accepted ones are added to it. A refused row never stops a good one.
    """
    if (agent_id is None) != (action is None) or (confirm and agent_id is None):
        fault = "query.agent_id", "agent_id and action go together, and confirm needs both"
        raise InvalidDocument("the request", [fault])
    known: list[Destination] = []
    found: tuple[Agent, int] | None = None
    if agent_id is not None and action is not None:
        found = await parts.store.agents.get_draft(agent_id)
        known = _transfer(found[0], action)[1].destinations
    read = await asyncio.to_thread(
        lambda: number_import.read(data, country=country, known=number_import.addresses(known))
    )
    saved = None
    if confirm and found is not None and agent_id is not None and action is not None:
        saved = await _save(parts, who, agent_id, found, action, read.accepted, revision)
    return await answer(await asyncio.to_thread(_answer, read, saved))


async def _save(
    parts: Services,
    who: Principal,
    agent_id: str,
    found: tuple[Agent, int],
    action: str,
    accepted: list[Destination],
    revision: int | None,
) -> int:
    """Add them to the draft as it was read; nothing that was saved since is overwritten."""
    draft, current = found
    if revision is not None and revision != current:
        raise Stale("the draft", current, revision)
    after = await asyncio.to_thread(_with_destinations, draft, action, accepted)
    async with parts.store.transaction():
        try:
            saved = await parts.store.agents.save_draft(agent_id, after, current)
        except Conflict as error:
            raise Stale("the draft", (await parts.store.agents.get_draft(agent_id))[1], current) from error
        noted = {"action": action, "added": len(accepted)}
        await note(parts, who, "agent.import_numbers", ("agent", agent_id), None, noted, AGENTS.slots)
    return saved


def _with_destinations(agent: Agent, action: str, accepted: list[Destination]) -> Agent:
    index, transfer = _transfer(agent, action)
    data = agent.model_dump(mode="json", by_alias=True)
    try:
        merged = number_import.add(transfer.destinations, accepted)
    except ValueError as error:
        raise ConfigurationError(f"{error}.") from error
    data["actions"][index]["destinations"] = [d.model_dump(mode="json") for d in merged]
    return Agent.model_validate(data)


def _transfer(agent: Agent, name: str) -> tuple[int, TransferAction]:
    for index, action in enumerate(agent.actions):
        if isinstance(action, TransferAction) and action.name == name:
            return index, action
    raise NotFound(f"the draft has no transfer action {name!r}.")


def _answer(read: number_import.Import, saved: int | None) -> NumberImport:
    fields = ImportRow.model_fields
    return NumberImport(
        saved_revision=saved,
        accepted=read.count("accepted"),
        duplicate=read.count("duplicate"),
        refused=read.count("refused"),
        separator=read.separator,
        encoding=read.encoding,
        ignored_columns=list(read.ignored_columns),
        rows=[ImportRow.model_construct(**{name: getattr(row, name) for name in fields}) for row in read.rows],
        destinations=read.accepted,
    )


@router.get("/template", **_download("a file to fill in"))
async def get_transfer_numbers_template(_who: Reader, separator: _Separator = "comma") -> Response:
    """A CSV file to fill in, with example rows."""
    return _file(number_import.template(_SEPARATORS[separator]), "transfer-numbers.csv")


@router.get("/export", **_download("the destinations", 404))
async def export_transfer_numbers(
    _who: Reader, parts: Parts, agent_id: _Agent, action: _Action, separator: _Separator = "comma"
) -> Response:
    """The destinations of a draft's transfer action as a CSV file; no spreadsheet runs anything in it."""
    draft, _ = await parts.store.agents.get_draft(agent_id)
    destinations = _transfer(draft, action)[1].destinations
    content = await asyncio.to_thread(number_import.export, destinations, _SEPARATORS[separator])
    return _file(content, "transfer-numbers.csv")


def _file(content: bytes, name: str) -> Response:
    return Response(content, media_type=CSV, headers={"Content-Disposition": f'attachment; filename="{name}"'})
