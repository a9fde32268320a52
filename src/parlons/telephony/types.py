"""What the rest of Parlons may know of telephony: legs, media and how they end. No SIP message crosses this line.

All times are seconds on the running loop's clock (``loop.time()``), never the wall clock, so everything here can be
driven on virtual time.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

FRAME_SECONDS = 0.02
"""Every frame of audio, everywhere, lasts 20 ms."""

AudioSource = Callable[[], bytes | None]
"""Pulled once per 20 ms by the sending clock: exactly one frame of s16le mono PCM at the media's rate, or None for
silence. Not pulled while nothing can be sent (hold, a key being pressed). Must not block and must not raise."""

AudioSink = Callable[[bytes], None]
"""Given exactly one frame of s16le mono PCM per 20 ms: decoded, concealed, or silence when nothing came."""

AudioTap = Callable[[bytes, bytes], None]
"""Given (received, sent) PCM once per 20 ms; what a recorder hangs on."""


class LegState(enum.Enum):
    """Where a leg is. The legal moves are the table in ``telephony.sip.leg``."""

    NEW = "new"
    """An INVITE came in (or is about to leave); nothing was answered."""
    RINGING = "ringing"
    """A 180 was sent, or the first 18x came."""
    EARLY = "early"
    """Early media flows (183 with a session description, either way)."""
    ANSWERED = "answered"
    """The 200 was sent (inbound, ACK awaited) or came (outbound, ACK sent)."""
    CONFIRMED = "confirmed"
    """The ACK closed the handshake."""
    ENDING = "ending"
    """BYE, CANCEL or a refusal is under way."""
    ENDED = "ended"


class Outcome(enum.StrEnum):
    """How ringing somebody ended (specification, section 4.1)."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    OUT_OF_HOURS = "out_of_hours"
    INVALID_DESTINATION = "invalid_destination"
    REFUSED_BY_POLICY = "refused_by_policy"
    CALLER_LEFT = "caller_left"


@dataclass(frozen=True, slots=True)
class LegEnd:
    """Why a leg ended: ``by`` the peer, us, or the transport; ``code`` is the SIP code when there was one."""

    by: Literal["peer", "us", "transport"]
    reason: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class InviteInfo:
    """What an incoming INVITE said, already checked and decoded.

    ``caller_number`` and ``caller_name`` are empty and ``anonymous`` is true for a withheld caller (From anonymous,
    or Privacy id/user), whatever P-Asserted-Identity holds. ``called`` lists the user parts to look an agent up by,
    in order: Request-URI, P-Called-Party-ID, To. ``headers`` holds every X-* header, names lower-cased.
    """

    call_id: str
    source: tuple[str, int]
    called: tuple[str, ...]
    caller_number: str
    caller_name: str
    anonymous: bool
    user_to_user: str
    headers: Mapping[str, str]
    diversion: str = ""


@dataclass(frozen=True, slots=True)
class OutboundInvite:
    """Everything an outgoing INVITE needs.

    Args:
        target: the Request-URI, for example ``sip:+33123456789@192.0.2.1:5060``.
        next_hop: where the datagrams go: (host, port); the host may be a name, resolved and cached.
        from_user, from_name: the identity shown; ``anonymous`` hides it (From anonymous, ``Privacy: id``, and
            no number in any header).
        asserted: the P-Asserted-Identity user, if any; likewise ``diversion``.
        headers: extra headers, checked again by the leg (``HeaderRefused``).
        username, password: digest credentials.
        ring_seconds: deadline counted from the first 18x (1xx but 100), enforced within 250 ms.
        first_response_seconds: nothing at all by then is ``unreachable`` (6 s).
        progress_seconds: neither 18x nor a final answer by then is ``unreachable`` (12 s).
    """

    target: str
    next_hop: tuple[str, int]
    from_user: str
    from_domain: str = ""
    from_name: str = ""
    anonymous: bool = False
    asserted: str = ""
    diversion: str = ""
    user_to_user: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    username: str = ""
    password: str = ""
    ring_seconds: float = 20.0
    first_response_seconds: float = 6.0
    progress_seconds: float = 12.0


class MediaSession(Protocol):
    """The media half of a leg, as the signalling half sees it: session descriptions in, session descriptions out.

    Implemented by ``telephony.media.rtp.RtpMedia``. The signalling half never looks inside a description.
    """

    def advertise(self, address: str) -> None:
        """The address of ours that this peer reaches, for our descriptions; told before the first of them. An
        address that the operator configured wins."""
        ...

    def local_offer(self) -> bytes:
        """Our offer, for an outgoing INVITE or for the 200 to an INVITE that came without one."""
        ...

    def remote_offer(self, body: bytes) -> bytes:
        """Apply the peer's offer (first or later: hold, refresh, new address) and return our answer.

        The same offer twice gives the same answer. Raises SdpError (400 or 488) and then changes nothing.
        """
        ...

    def remote_answer(self, body: bytes) -> None:
        """Apply the peer's answer to ``local_offer``; may come in a 18x, a 200 or an ACK. Raises SdpError."""
        ...

    def info_dtmf(self, digit: str) -> None:
        """A digit came by SIP INFO."""
        ...

    def start(self) -> None:
        """Begin to send (early media, or the answer). Idempotent."""
        ...

    def close(self) -> None:
        """Stop and release everything. Idempotent, does not block."""
        ...


class AudioPort(Protocol):
    """The audio half of a leg, as a conversation sees it. Implemented by ``telephony.media.rtp.RtpMedia``
    (and by whatever a browser call uses)."""

    @property
    def sample_rate(self) -> int:
        """Samples a second of the PCM both ways: 8000 (G.711) or 16000 (G.722). Fixed once negotiated."""
        ...

    source: AudioSource | None
    sink: AudioSink | None
    tap: AudioTap | None
    on_dtmf: Callable[[str], None] | None

    @property
    def on_hold(self) -> bool:
        """The peer has put us on hold: nothing is sent and nothing is expected."""
        ...

    @property
    def silent_seconds(self) -> float:
        """Seconds since the last packet came, not counting time on hold; 0 before the media started."""
        ...

    async def send_dtmf(self, digits: str) -> None:
        """Press ``0-9 * # A-D``, ``w`` (0.5 s) and ``W`` (1 s), by what was negotiated. 100 ms on, 100 ms off."""
        ...


@dataclass(slots=True)
class LegEvents:
    """Call-backs of a leg. Each may be None; none may block or raise."""

    ringing: Callable[[], None] | None = None
    """The first 18x came (outbound)."""
    early_media: Callable[[], None] | None = None
    answered: Callable[[], None] | None = None
    """The 200 came (outbound) or was acknowledged (inbound)."""
    hold: Callable[[bool], None] | None = None
    """The peer put us on hold (True) or took us back (False)."""
    ended: Callable[[LegEnd], None] | None = None
    """Once, whatever the reason."""


class Leg(Protocol):
    """One SIP dialog with its media, in either direction. Implemented by ``telephony.sip.leg``."""

    events: LegEvents

    @property
    def id(self) -> str: ...
    @property
    def direction(self) -> Literal["inbound", "outbound"]: ...
    @property
    def state(self) -> LegState: ...
    @property
    def info(self) -> InviteInfo | None:
        """What the INVITE said; None on an outbound leg."""
        ...

    @property
    def end(self) -> LegEnd | None:
        """Why it ended; None while it has not."""
        ...

    # -- inbound -------------------------------------------------------------------------------------------
    def attach(self, media: MediaSession) -> None:
        """Give the leg its media and apply the offer, if the INVITE held one. Raises SdpError: refuse with it."""
        ...

    def ring(self) -> None:
        """Send 180."""
        ...

    def progress(self) -> None:
        """Send 183 with our answer and start the media (early media)."""
        ...

    async def answer(self) -> None:
        """Send 200 (with our answer, or our offer) and wait for the ACK. Raises LegClosed when the caller left."""
        ...

    def refuse(self, code: int, reason: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Send a final 3xx-6xx."""
        ...

    # -- outbound ------------------------------------------------------------------------------------------
    def label(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Put these headers on the INVITE, before it is dialled; in place of those it was made with."""
        ...

    async def dial(self) -> Outcome:
        """Send the INVITE and wait for how it ends. CALLER_LEFT when ``hang_up`` was called meanwhile."""
        ...

    # -- both ----------------------------------------------------------------------------------------------
    async def hang_up(self, reason: str = "", *, code: int | None = None) -> None:
        """End it from any state: refuse, CANCEL or BYE as the state asks, with a Reason header when ``code`` is
        given. Idempotent; returns when the peer has answered or the transaction gave up."""
        ...

    async def send_info(self, content_type: str, body: bytes) -> int:
        """Send INFO in the dialog; the final status code."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """Digest credentials; the realm of a challenge is the connection's or the peer's."""

    username: str
    password: str = field(repr=False)
