"""A participant's subscribe connection: slots for tracks, the server's offers, and the receiver's feedback.

m-lines never move. A slot whose track went away becomes inactive and is used again for the same kind. One offer is
outstanding at a time; what changes meanwhile goes into the next. Nothing is sent before the answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from conference.rtc import rtcp, sdp
from conference.rtc.transport_cc import TransportCc

from .allowance import Allowance
from .counters import Counters
from .downlink import Downlink
from .publication import Publication
from .subscription import Subscription
from .transport import Transport, TransportState

_REPORT_S = 1.0
_REPORTS_IN_COMPOUND = 20
MAX_SLOTS = 200
_ASKED_S = 4000  # packets that may be asked for again


@dataclass(slots=True)
class Slot:
    """One m-line. `answered` is what the receiver last accepted on it."""

    mid: str
    kind: str
    subscription: Subscription | None = None
    answered: sdp.AnsweredSlot | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer to be answered with the same generation; the slots say whose track each m-line carries."""

    generation: int
    text: str
    slots: tuple[tuple[str, Publication], ...]


class Subscriber:
    """Owned by the Participant. `fixed` subscribers (WHEP) have their slots from the client's offer."""

    def __init__(
        self,
        transport: Transport,
        local: Callable[[], sdp.LocalTransport],
        counters: Counters,
        *,
        generation: int = 0,
    ) -> None:
        self.transport = transport
        self.slots: list[Slot] = []
        self.generation = generation
        self.on_state: Callable[[TransportState], None] | None = None
        self.is_fixed = False
        self.downlink = Downlink()
        self._local = local
        self._counters = counters
        self._session_id = secrets.randbits(62)
        self._on_offer: Callable[[Offer], None] | None = None
        self._outstanding: int | None = None
        self._dirty = False
        self._by_ssrc: dict[int, Subscription] = {}
        self._next_report = 0.0
        self._allowance = Allowance(_ASKED_S)
        transport.on_rtcp = self._receive_rtcp
        transport.on_rtp = self._refuse_rtp
        transport.on_state = self._state_changed
        transport.on_path = self._path_changed

    # ── what it receives ────────────────────────────────────────────────────────────────────────

    def want(self, publication: Publication) -> None:
        """Give the publication a slot; offered soon. Repeating it is harmless."""
        if self.is_fixed or any(
            slot.subscription is not None and slot.subscription.publication is publication
            for slot in self.slots
        ):
            return
        slot = next((s for s in self.slots if s.kind == publication.kind and s.subscription is None), None)
        if slot is None:
            if len(self.slots) >= MAX_SLOTS:
                self._counters.drops["no_slot"] += 1
                return
            slot = Slot(str(len(self.slots)), publication.kind)
            self.slots.append(slot)
        self._fill(slot, publication)
        self._change()

    def unwant(self, publication: Publication) -> None:
        """Take the publication's slot away at once; the receiver hears of it with the next offer."""
        if self.is_fixed:
            return
        for slot in self.slots:
            if slot.subscription is not None and slot.subscription.publication is publication:
                self._empty(slot)
                self._change()

    def take_fixed(
        self, offer: sdp.SessionDescription, wanted: Iterable[tuple[str, Publication]], now: float
    ) -> str:
        """WHEP: answer the client's own offer; `wanted` gives the publication for each mid."""
        self.is_fixed = True
        by_mid = dict(wanted)
        offered: dict[str, sdp.OfferSlot] = {}
        for media in offer.media:
            slot = Slot(media.mid, media.kind)
            self.slots.append(slot)
            publication = by_mid.get(media.mid)
            if publication is not None and publication.kind == media.kind:
                self._fill(slot, publication)
                offered[media.mid] = self._describe(slot)
        text, answered = sdp.answer_player(offer, self._local(), offered, self._session_id, 1)
        self._take_remote(offer, is_offer=True, now=now)
        self._take_answered(answered)
        return text

    def replace(self, new: Publication) -> None:
        """WHEP: the track that a slot stands for is published, or published anew."""
        for slot in self.slots:
            subscription = slot.subscription
            if self.is_fixed and subscription is not None:
                old = subscription.publication
                same = (old.participant_id, old.source) == (new.participant_id, new.source)
                if same and old is not new:
                    old.remove(subscription)
                    subscription.publication = new
                    new.add(subscription)

    def _fill(self, slot: Slot, publication: Publication) -> None:
        rtx = self._new_ssrc() if slot.kind == "video" else None
        subscription = Subscription(
            publication, self.transport, self._new_ssrc(), rtx, self.downlink.estimator.history
        )
        self._by_ssrc[subscription.ssrc] = subscription
        slot.subscription = subscription

    def _empty(self, slot: Slot) -> None:
        subscription = slot.subscription
        if subscription is None:
            return
        slot.subscription = None
        subscription.publication.remove(subscription)
        del self._by_ssrc[subscription.ssrc]
        if self.transport.keys is not None:
            self.transport.keys.forget_outbound(subscription.ssrc)
            if subscription.rtx_ssrc is not None:
                self.transport.keys.forget_outbound(subscription.rtx_ssrc)

    def _new_ssrc(self) -> int:
        while True:
            ssrc = secrets.randbits(32)
            if ssrc > 1 and ssrc not in self._by_ssrc:
                return ssrc

    def listen(self, on_offer: Callable[[Offer], None]) -> None:
        """Send offers from now on; the first at once when there is something to offer."""
        self._on_offer = on_offer
        self._offer()

    def subscriptions(self) -> Iterable[Subscription]:
        """All that it is to receive now."""
        return self._by_ssrc.values()

    # ── bandwidth ───────────────────────────────────────────────────────────────────────────────

    def available_bps(self, now: float) -> int | None:
        """What may be sent to it, in bit/s of plain RTP packets; None while nothing is known."""
        return self.downlink.available_bps(now)

    def probe_for(self, bps: int) -> None:
        """So much could be used, were it there; 0: what is there is enough."""
        self.downlink.probe_for(bps)

    def pace(self, now: float) -> None:
        """Call every 20 ms: padding that finds out whether the way carries more."""
        if self.transport.state is TransportState.CONNECTED:
            self.downlink.pace(self._by_ssrc.values(), now)

    # ── offer and answer ────────────────────────────────────────────────────────────────────────

    def _change(self) -> None:
        self._dirty = True
        self._offer()

    def _offer(self) -> None:
        if not self._dirty or self._outstanding is not None or self._on_offer is None or not self.slots:
            return
        self._dirty = False
        self.generation += 1
        self._outstanding = self.generation
        text = sdp.build_offer(
            self._session_id, self.generation, self._local(), [self._describe(slot) for slot in self.slots]
        )
        carried = tuple(
            (slot.mid, slot.subscription.publication) for slot in self.slots if slot.subscription is not None
        )
        self._on_offer(Offer(self.generation, text, carried))

    def answer(self, generation: int, text: str, now: float) -> bool:
        """Take the receiver's answer; False when it is not for the outstanding offer. Raises SdpError."""
        if generation != self._outstanding:
            return False
        answer = sdp.parse(text)
        self._outstanding = None
        self._take_remote(answer, is_offer=False, now=now)
        self._take_answered(sdp.read_answer(answer))
        self._offer()
        return True

    def _take_remote(self, description: sdp.SessionDescription, *, is_offer: bool, now: float) -> None:
        if is_offer:
            is_client = sdp.answer_setup(description.setup, prefer_active=False) == "active"
        else:
            is_client = description.setup == "passive"
        fingerprints = [(one.algorithm, one.value) for one in description.fingerprints]
        self.transport.set_remote(description.credentials, fingerprints, is_dtls_client=is_client, now=now)

    def _take_answered(self, answered: Iterable[sdp.AnsweredSlot]) -> None:
        by_mid = {one.mid: one for one in answered}
        for slot in self.slots:
            one = by_mid.get(slot.mid)
            if one is None:
                continue
            slot.answered = one
            subscription = slot.subscription
            if subscription is not None and one.accepted:
                subscription.enable(one.codecs, one.extensions, one.transport_cc_id)
                if one.transport_cc_id:
                    self.downlink.is_numbered = True
                subscription.publication.add(subscription)

    def _describe(self, slot: Slot) -> sdp.OfferSlot:
        subscription = slot.subscription
        if subscription is None:
            return sdp.OfferSlot(slot.mid, slot.kind, False, "-", "-", 0, None, "-")
        publication = subscription.publication
        return sdp.OfferSlot(
            slot.mid,
            slot.kind,
            True,
            publication.participant_id,
            publication.id,
            subscription.ssrc,
            subscription.rtx_ssrc,
            publication.participant_id,
        )

    # ── feedback ────────────────────────────────────────────────────────────────────────────────

    def _refuse_rtp(self, packet: bytes, _now: float) -> None:
        self._counters.drops["rtp_from_subscriber"] += 1
        if self.transport.keys is not None:
            self.transport.keys.forget_inbound(int.from_bytes(packet[8:12], "big"))

    def _receive_rtcp(self, packets: Sequence[rtcp.Packet], now: float) -> None:
        counters = self._counters
        for packet in packets:
            if isinstance(packet, rtcp.ReceiverReport | rtcp.SenderReport):
                for block in packet.blocks:
                    subscription = self._by_ssrc.get(block.ssrc)
                    if subscription is not None:
                        subscription.on_report_block(block, now)
            elif isinstance(packet, rtcp.Nack):
                counters.nacks_received += len(packet.seqs)
                subscription = self._by_ssrc.get(packet.media_ssrc)
                if subscription is not None and self._allowance.take(len(packet.seqs), now):
                    counters.packets_resent += subscription.resend(packet.seqs, now)
            elif isinstance(packet, TransportCc | rtcp.Remb):
                self.downlink.take(packet, now)
            elif isinstance(packet, rtcp.Pli):
                counters.plis_received += 1
                subscription = self._by_ssrc.get(packet.media_ssrc)
                if subscription is not None:
                    subscription.request_keyframe(now)
            elif isinstance(packet, rtcp.Fir):
                counters.plis_received += 1
                for ssrc, _ in packet.entries:
                    subscription = self._by_ssrc.get(ssrc)
                    if subscription is not None:
                        subscription.request_keyframe(now)

    def tick(self, now: float) -> None:
        """Call every 50 ms or so: handshake, consent, sender reports."""
        self.transport.tick(now)
        if now < self._next_report or self.transport.state is TransportState.CLOSED:
            return
        self._next_report = now + _REPORT_S
        reports = []
        names = []
        for subscription in self._by_ssrc.values():
            report = subscription.sender_report(now)
            if report is not None:
                reports.append(report)
                names.append((subscription.ssrc, subscription.publication.participant_id))
        self.downlink.sent_bps = sum(subscription.sent_bps for subscription in self._by_ssrc.values())
        for at in range(0, len(reports), _REPORTS_IN_COMPOUND):
            compound = b"".join(reports[at : at + _REPORTS_IN_COMPOUND])
            compound += b"".join(
                rtcp.build_sdes(ssrc, cname) for ssrc, cname in names[at : at + _REPORTS_IN_COMPOUND]
            )
            self.transport.send_rtcp(compound)

    def worst_loss(self) -> float:
        """The highest share of packets lost on the way to the receiver in its last report, 0 to 1."""
        return max((s.fraction_lost for s in self._by_ssrc.values()), default=0.0)

    def rtt_s(self) -> float:
        """Round-trip time of the receiver in seconds, 0 before it is known."""
        return max((s.rtt_s for s in self._by_ssrc.values()), default=0.0)

    def _path_changed(self) -> None:
        self.downlink.estimator.change_path()
        for subscription in self._by_ssrc.values():
            subscription.use_path()

    def _state_changed(self, state: TransportState) -> None:
        if state is TransportState.CLOSED:
            for slot in self.slots:
                if slot.subscription is not None:
                    slot.subscription.publication.remove(slot.subscription)
        if self.on_state is not None:
            self.on_state(state)

    def close(self) -> None:
        """Stop receiving and close the transport; idempotent."""
        self.transport.close()
