"""Second passes (录音复核): consultations that are over are heard again, one after the other, when somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from conference.model.audit import SYSTEM, Actor, AuditEntry, AuditLine, Value
from conference.model.broadcast import unkept_spans
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError
from conference.model.permissions import Action, require
from conference.model.second_pass import PADDING_MS, BetterText, SecondPass, SecondPassState
from conference.model.transcript import TranscriptSegment
from conference.model.transcript_place import Place
from conference.services.consultations import consultation_of
from conference.services.ports import Recorder, SecondListener, UnitOfWork
from conference.services.proposals import Proposals
from conference.services.rehearing import Surroundings, better_text, passage_of, refusals, was_refused
from conference.services.rewriting import TermRewriter
from conference.services.rooms import Rooms
from conference.services.term_lists import TermLists, right_words
from conference.services.trace import Bearer
from conference.services.track_sounds import files_of
from conference.services.transcript_news import TranscriptNews
from conference.transcript_views import SecondPassView
from conference.worker_events import TranscriberModel

log = structlog.get_logger(__name__)

_PAGE: Final = 20  # segments whose surroundings are read at once
_TOLD_S: Final = 2.0  # so late are proposals written, at most
_MOST_UNTOLD: Final = 50  # segments of which a killed server hears nothing again
_MOST_TERMS: Final = 80  # words that an engine is to expect: more of them would not fit beside what it hears
_AGAIN_S: Final = 2.0  # a database in trouble is asked again
_DEATHS: Final = 3  # passages one after the other that the process died of: then it is not for them
_LINES: Final = 500
_BROKEN: Final = frozenset({"no_model", "model_broken", "engine_missing"})
LOST_S: Final = 60.0
"""A node that has not been heard of for so long left its second passes to the others. A Redis that started empty knows
of nobody for some seconds."""
_FAULT: Final = "fault"  # nobody foresaw it; the log has where it came from


@dataclass(slots=True)
class _Heard:
    """What was heard and is no row yet."""

    since_s: float
    texts: list[BetterText] = field(default_factory=list)
    done: int = 0
    unheard: int = 0
    after: Place | None = None


class SecondPasses:
    """One queue for a node, in rows, and one process that is asked passage by passage. It never changes a text."""

    def __init__(
        self,
        rooms: Rooms,
        listener: SecondListener,
        recorder: Recorder,
        lists: TermLists,
        news: TranscriptNews,
    ) -> None:
        self._rooms = rooms
        self._listener = listener
        self._recorder = recorder
        self._lists = lists
        self._rewriter = TermRewriter(lists)
        self._news = news
        self._proposals = Proposals(rooms, news)
        self._running: str | None = None
        self._given_up: set[tuple[str, int]] = set()  # consultation and time of asking, until the next start
        self._left: dict[
            tuple[str, int], float
        ] = {}  # those of no node that lives, and since when that is so
        self._wake = asyncio.Event()

    # ── for people ──────────────────────────────────────────────────────────────────────────────

    async def ask(self, consultation_id: str, by: Bearer) -> SecondPassView:
        """Have the recording heard again; while that is under way asking again changes nothing.

        invalid_state before the end and for what is sealed, second_pass_unavailable with the `reason`,
        nothing_recorded, other_node where another server has the recording.
        """
        require(by.role, Action.TRANSCRIPT_EDIT)
        self._rooms.require_here(consultation_id)
        async with self._rooms.storage.reading() as unit:
            consultation = await consultation_of(unit, consultation_id)
            segments = await unit.transcript.of(consultation_id, brief=True)
            files = await files_of(unit, consultation_id, {each.participant_id for each in segments})
        if consultation.status is not Status.ENDED:
            raise ConferenceError("invalid_state", f"status {consultation.status}")
        model = await self._listener.model()
        if model.reason:
            raise ConferenceError("second_pass_unavailable", model.reason, reason=model.reason)
        if not files:
            raise ConferenceError("nothing_recorded")
        paths = [self._recorder.path(each.path) for each in files]
        if not await asyncio.to_thread(lambda: any(each.is_file() for each in paths)):
            raise ConferenceError("other_node" if self._rooms.registry.is_shared else "nothing_recorded")
        async with self._rooms.storage.transaction() as unit:
            await self._ask(unit, consultation, by, model.engine, len(segments))
        self._wake.set()
        return await self._tell(consultation_id)

    async def _ask(
        self, unit: UnitOfWork, consultation: Consultation, by: Bearer, engine: str, total: int
    ) -> None:
        node = self._rooms.registry.node
        known = await unit.second_passes.locked(consultation.id)
        if known is not None and known.is_open:
            if known.node == node or (self._rooms.shares_files and known.node in self._living()):
                return  # it goes on there
            run = replace(known, node=node, engine=engine)  # it goes on where the recording can be read
        else:
            run = SecondPass(consultation.id, node, engine, by.name, self._rooms.clock.wall_ms(), total)
        await self._queue(unit, consultation, by.actor, run)

    async def _queue(
        self, unit: UnitOfWork, consultation: Consultation, actor: Actor, run: SecondPass
    ) -> None:
        await unit.second_passes.save(run)
        content: dict[str, Value] = {"engine": run.engine, "segments": run.total}
        await unit.audit.append(self._entry(consultation, actor, "transcript.second_pass_asked", content))

    async def state(self, consultation_id: str) -> SecondPassView:
        """How far it is, and whether one can be asked for."""
        model = await self._listener.model()
        async with self._rooms.storage.reading() as unit:
            run = await unit.second_passes.get(consultation_id)
        return self._view(run, consultation_id, model)

    # ── hearing ─────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Hear what is asked for, also what a killed server left, one after the other; runs until cancelled."""
        while True:
            self._wake.clear()
            run = await self._next()
            if run is not None:
                await self._deal_with(run)
                continue
            await self._listener.rest()
            await self._wake.wait()

    async def look_for_left(self) -> None:
        """Call every minute: where nodes share files, what a node that is gone did not hear to the end goes on here."""
        if not self._rooms.shares_files or (await self._listener.model()).reason:
            return
        living, now_s = self._living(), self._rooms.clock.monotonic()
        async with self._rooms.storage.reading() as unit:
            waiting = await unit.second_passes.open_ones()
        left = {_asking(each): each for each in waiting if each.node not in living}
        self._left = {asking: self._left.get(asking, now_s) for asking in left}
        for asking, since_s in self._left.items():
            if now_s - since_s >= LOST_S and asking not in self._given_up:
                await self._take(left[asking])

    def _living(self) -> frozenset[str]:
        """Names of the nodes that live, of our own too."""
        registry = self._rooms.registry
        return frozenset((registry.node, *(each.name for each in registry.nodes())))

    async def _take(self, run: SecondPass) -> None:
        """Unless another node was faster."""
        async with self._rooms.storage.transaction() as unit:
            if await unit.second_passes.locked(run.consultation_id) != run:
                return
            consultation = await consultation_of(unit, run.consultation_id)
            await self._queue(unit, consultation, SYSTEM, replace(run, node=self._rooms.registry.node))
        log.info("second_pass.taken_over", room=run.consultation_id, node=run.node)
        self._wake.set()

    async def _next(self) -> SecondPass | None:
        async with self._rooms.storage.reading() as unit:
            waiting = await unit.second_passes.open_ones(self._rooms.registry.node)
        return next((each for each in waiting if _asking(each) not in self._given_up), None)

    async def _deal_with(self, run: SecondPass) -> None:
        """Hear it. Whatever befalls this one, the next gets its turn; a database in trouble is waited for."""
        room = run.consultation_id
        try:
            await self._hear(run)
        except Exception as error:
            if _is_trouble_of_the_database(error):
                log.warning("second_pass.delayed", room=room, code="storage_unavailable")
                await asyncio.sleep(_AGAIN_S)
                return
            log.error("second_pass.fault", room=room, exc_info=error)
            self._given_up.add(_asking(run))  # also where its end cannot be written
            await self._give_up(run)
        finally:
            self._running = None

    async def _give_up(self, run: SecondPass) -> None:
        """End it as it stands in the rows, which may be further than it was when its turn came."""
        while True:
            try:
                async with self._rooms.storage.reading() as unit:
                    known = await unit.second_passes.get(run.consultation_id)
                if known is not None and known.is_open and _asking(known) == _asking(run):
                    await self._end(known, _FAULT)
                return
            except Exception as error:
                if not _is_trouble_of_the_database(error):
                    log.error("second_pass.fault", room=run.consultation_id, exc_info=error)
                    return
                log.warning("second_pass.delayed", room=run.consultation_id, code="storage_unavailable")
                await asyncio.sleep(_AGAIN_S)

    async def _hear(self, begun: SecondPass) -> None:
        consultation_id = self._running = begun.consultation_id
        log.info("second_pass.begins", room=consultation_id, done=begun.done, total=begun.total)
        await self._tell_of(begun)
        run: SecondPass | None = begun
        deaths, reason = 0, ""
        heard = _Heard(self._rooms.clock.monotonic(), after=begun.after)
        terms, refused = await self._terms(consultation_id), await self._refused(consultation_id)
        while not reason and run is not None:
            page, around = await self._page(consultation_id, heard.after, terms, refused)
            if not page:
                break
            rewrite = await self._rewriter(consultation_id)
            for segment in page:
                passage = None if was_refused(segment, around) else passage_of(segment, around)
                told = None if passage is None else await self._listener.hear(passage)
                if told is not None:
                    deaths = deaths + 1 if told.reason == "worker_ended" else 0
                    if told.reason in _BROKEN or deaths >= _DEATHS:
                        reason = told.reason
                        break
                text = better_text(segment, told, rewrite) if told is not None and told.text else None
                heard.texts += [] if text is None else [text]
                heard.unheard += text is None and not was_refused(segment, around)
                heard.done += 1
                heard.after = Place.of(segment)
                if self._is_due(heard):
                    run = await self._write(run, heard)
                    if run is None:
                        break
        if run is not None:
            run = await self._write(run, heard)
        if run is not None:
            await self._end(run, reason)

    def _is_due(self, heard: _Heard) -> bool:
        is_late = self._rooms.clock.monotonic() - heard.since_s >= _TOLD_S
        return heard.done >= _MOST_UNTOLD or (bool(heard.texts) and is_late)

    async def _page(
        self, consultation_id: str, after: Place | None, terms: tuple[str, ...], refused: dict[str, int]
    ) -> tuple[Sequence[TranscriptSegment], Surroundings]:
        """The next segments, as they are now: some may have been corrected or joined meanwhile, and recordings may
        have been deleted."""
        async with self._rooms.storage.reading() as unit:
            page = await unit.transcript.of(consultation_id, after=after, limit=_PAGE, brief=True)
            people = {each.participant_id for each in page}
            files = await files_of(unit, consultation_id, people) if page else []
            neighbours = []
            if page:
                to_ms = max(each.end_ms for each in page) + PADDING_MS
                from_ms = page[0].start_ms - PADDING_MS
                neighbours = await unit.transcript.between(consultation_id, from_ms, to_ms)
            unkept = unkept_spans(await unit.broadcast_cuts.of(consultation_id))
        return page, Surroundings(neighbours, files, unkept, terms, refused)

    async def _write(self, run: SecondPass, heard: _Heard) -> SecondPass | None:
        """Rows of what was heard. Minutes of work wait for a database in trouble."""
        while heard.done and heard.after is not None:
            try:
                now = await self._proposals.propose(
                    run, heard.texts, after=heard.after, done=heard.done, unheard=heard.unheard
                )
            except ConferenceError as error:
                if error.code == "storage_unavailable":
                    log.warning("second_pass.delayed", room=run.consultation_id, code=error.code)
                    await asyncio.sleep(_AGAIN_S)
                    continue
                await self._end(run, "sealed" if error.code == "invalid_state" else "refused")
                return None
            heard.since_s, heard.texts = self._rooms.clock.monotonic(), []
            heard.done = heard.unheard = 0
            if now is not None:
                await self._tell_of(now)
            return now
        return run

    async def _end(self, run: SecondPass, reason: str) -> None:
        log.info("second_pass.ended", room=run.consultation_id, reason=reason, proposals=run.proposals)
        ended = run.ended(self._rooms.clock.wall_ms(), reason)
        content: dict[str, Value] = {
            "engine": run.engine,
            "segments": run.done,
            "unheard": run.unheard,
            "proposals": run.proposals,
        }
        action = "transcript.second_pass_ended"
        if reason:
            action, content["reason"] = "transcript.second_pass_failed", reason
        async with self._rooms.storage.transaction() as unit:
            if await unit.second_passes.locked(run.consultation_id) != run:
                return  # another one took its place
            await unit.second_passes.save(ended)
            consultation = await consultation_of(unit, run.consultation_id)
            await unit.audit.append(self._entry(consultation, SYSTEM, action, content))
        self._running = None
        await self._tell_of(ended)

    # ── used above ──────────────────────────────────────────────────────────────────────────────

    async def _terms(self, consultation_id: str) -> tuple[str, ...]:
        lists = await self._lists.of_consultation(consultation_id)
        return await asyncio.to_thread(right_words, lists, _MOST_TERMS)

    async def _refused(self, consultation_id: str) -> dict[str, int]:
        found: list[AuditLine] = []
        async with self._rooms.storage.reading() as unit:
            last = 0
            while lines := await unit.audit.lines(
                consultation_id, last, _LINES, action="transcript.proposal_refused"
            ):
                found += lines
                last = lines[-1].number
        return refusals(found)

    def _view(self, run: SecondPass | None, consultation_id: str, model: TranscriberModel) -> SecondPassView:
        state = SecondPassState.NONE if run is None else run.state
        if run is not None and run.is_open and self._running == consultation_id:
            state = SecondPassState.RUNNING
        return SecondPassView(
            engine=model.engine if run is None or model.engine else run.engine,
            unavailable=model.reason,
            state=state,
            reason="" if run is None else run.reason,
            done=0 if run is None else run.done,
            total=0 if run is None else run.total,
            unheard=0 if run is None else run.unheard,
            proposals=0 if run is None else run.proposals,
        )

    async def _tell(self, consultation_id: str) -> SecondPassView:
        view = await self.state(consultation_id)
        self._news.second_pass(consultation_id, view)
        return view

    async def _tell_of(self, run: SecondPass) -> None:
        model = await self._listener.model()
        self._news.second_pass(run.consultation_id, self._view(run, run.consultation_id, model))

    def _entry(
        self, consultation: Consultation, by: Actor, action: str, content: dict[str, Value]
    ) -> AuditEntry:
        at_ms, now_ms = self._rooms.program_time_ms(consultation), self._rooms.clock.wall_ms()
        return AuditEntry(consultation.id, now_ms, at_ms, by, action, consultation.id, content)


def _asking(run: SecondPass) -> tuple[str, int]:
    """One time that somebody asked."""
    return run.consultation_id, run.asked_wall_ms


def _is_trouble_of_the_database(error: Exception) -> bool:
    return isinstance(error, ConferenceError) and error.code == "storage_unavailable"
