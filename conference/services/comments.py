"""What the public does: writes comments, likes and reports those of others, takes its own back, and reads.

Each writer puts its wish into the board's list. The first one takes the board's lock and commits all that came by then
in one transaction, the others wait for that: a thousand a second are a few commits, and nobody is answered before the
disk.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from weakref import ref

from conference.model.audit import SYSTEM, VIEWER, AuditEntry, Personal, Value
from conference.model.comment import (
    SHOWN,
    WAITING,
    Comment,
    CommentState,
    Decision,
    Level,
    Mark,
    MarkKind,
    Reason,
    Verdict,
    first_state,
    require_commentable,
    watched_ms,
)
from conference.model.consultation import CommentIdentity, Consultation, Moderation
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.folding import tidied
from conference.model.identity import Visitor
from conference.model.ids import new_id
from conference.model.promotion import Promotion, PromotionState
from conference.services.comment_board import CommentBoard
from conference.services.comment_boards import MAX_COMMENTS, CommentBoards
from conference.services.ports import Sealer
from conference.services.ports.airing import Airing, Broadcast

PAGE: Final = 50
_KEPT_PAGES: Final = 256
ANONYMOUS: Final = "匿名网友"
_GROUP_S: Final = 0.02  # how long the first one waits for others: a transaction costs as much as ten comments
_MOST_UNWRITTEN: Final = 2_000
_DAY_MS: Final = 86_400_000
_FOR_ALL: Final = frozenset({CommentState.PROMOTED, CommentState.ANSWERED})
_MENDABLE: Final = {
    "contact_phone": "phone",
    **dict.fromkeys(("contact_number", "contact_wechat", "contact_qq", "contact_email"), "contact"),
    **dict.fromkeys(("identity_number", "bank_card", "contact_account", "home_address", "plate"), "personal"),
    "link": "link",
}


@dataclass(frozen=True, slots=True)
class CommentDraft:
    """As it was typed. `key`: chosen by the client; trying again with it adds nothing twice."""

    nickname: str
    text: str
    key: str
    program_time_ms: int | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class PublicComment:
    """As everybody sees it. `authors`: for how many it stands, once it was put to the session or answered; else 1."""

    id: str
    nickname: str
    region: str | None
    text: str
    program_time_ms: int | None
    at_wall_ms: int
    status: CommentState
    likes: int
    group_id: str
    authors: int


@dataclass(frozen=True, slots=True)
class PublicComments:
    """Newest first. `next` is the `after` of the page behind this one; `total`: how many are shown."""

    items: tuple[PublicComment, ...]
    next: int | None
    total: int


@dataclass(frozen=True, slots=True)
class OwnComment:
    """What an author is told: pending, rejected, withdrawn, approved, promoted, answered. `reason`: why it is not
    shown, where its author can mend that."""

    id: str
    status: CommentState
    text: str
    nickname: str
    reason: str | None = None


@dataclass(slots=True, eq=False)
class _Wish:
    """What waits for the next commit: a comment, or a mark that is set or taken back. `done` or `failed` afterwards."""

    consultation: Consultation
    comment: Comment | None = None
    mark: Mark | None = None
    set_mark: bool = True
    done: Comment | None = None
    failed: ConferenceError | None = None

    @property
    def is_over(self) -> bool:
        return self.done is not None or self.failed is not None


class Comments:
    """For people without a name. `device_hash` stands for each."""

    def __init__(self, boards: CommentBoards, airing: Airing, sealer: Sealer, *, address_days: int) -> None:
        """`address_days`: how long the addresses of authors are kept; 0 keeps none."""
        self._boards = boards
        self._airing = airing
        self._sealer = sealer
        self._address_days = address_days
        self._pages: dict[
            str, tuple[ref[CommentBoard], int, PublicComments]
        ] = {}  # no board lives longer for it

    # ── writing ─────────────────────────────────────────────────────────────────────────────────

    async def post(self, consultation_id: str, draft: CommentDraft, author: Visitor) -> OwnComment:
        """Write one; it is in the database when this returns. The same key again is the same comment.

        bad_request when nothing is left of the text once it is tidied, identity_required where the consultation wants
        to know who writes and the device has shown nothing.
        """
        view = await self._airing.view(consultation_id)
        consultation = view.consultation
        require_commentable(consultation, self._boards.clock.wall_ms(), is_cut=view.is_cut)
        comment: Comment | None = None
        for is_last in (False, False, False, True):
            board = await self._boards.get(consultation_id)
            there = board.with_key(author.device_hash, draft.key)
            if there is not None:
                return own(board, there)
            if (
                consultation.comment_identity is CommentIdentity.REQUIRED
                and author.device_hash not in board.identities
            ):
                raise ConferenceError("identity_required")
            if len(board.comments) + len(board.unwritten) >= MAX_COMMENTS:
                raise ConferenceError("too_many_comments")
            comment = comment or self._judged(board, view, draft, author)
            try:
                return own(board, await self._written(board, _Wish(consultation, comment=comment)))
            except ConferenceError as error:
                if is_last or error.code != "stale":
                    raise
        raise AssertionError("the last try returns or raises")

    def _judged(self, board: CommentBoard, view: Broadcast, draft: CommentDraft, author: Visitor) -> Comment:
        """The comment as it begins; number and group come with the commit."""
        text, nickname = tidied(draft.text), tidied(draft.nickname) or ANONYMOUS
        region = tidied(draft.region or "") or None
        if not text:
            raise ConferenceError("bad_request", "no text")
        verdict = board.judge.judge(draft.text, draft.nickname, draft.region)
        now_s, wall_ms = self._boards.clock.monotonic(), self._boards.clock.wall_ms()
        flood = board.flood.judge(author.device_hash, self._boards.reader.fold(text), now_s)
        if flood is not None:
            verdict = verdict.with_reason(Level.HOLD, flood)
        verdict = self._of_newcomer(board, view.consultation, verdict, author, nickname)
        time_ms, honest = watched_ms(draft.program_time_ms, view.program_time_ms, view.delay_ms)
        if not honest:
            verdict = verdict.with_reason(Level.MARK, Reason("program_time"))
        comment_id = new_id("m")
        return Comment(
            id=comment_id,
            consultation_id=board.consultation_id,
            number=0,
            nickname=nickname,
            region=region,
            text=text,
            program_time_ms=time_ms,
            at_wall_ms=wall_ms,
            state=first_state(verdict, view.consultation.moderation),
            level=verdict.level,
            reasons=verdict.reasons,
            group_id=comment_id,
            device_hash=author.device_hash,
            key=draft.key,
            address=self._sealer.seal(author.address) if self._address_days else "",
            identity=board.identities.get(author.device_hash),
        )

    @staticmethod
    def _of_newcomer(
        board: CommentBoard, consultation: Consultation, verdict: Verdict, author: Visitor, nickname: str
    ) -> Verdict:
        """Where comments are shown at once, the first one under a nickname waits for somebody."""
        if consultation.moderation is Moderation.PRE or board.is_known(author.device_hash, nickname):
            return verdict
        return verdict.with_reason(Level.HOLD, Reason("new_nickname", field="nickname"))

    async def like(self, consultation_id: str, comment_id: str, device_hash: str, *, liked: bool) -> int:
        """Like it, or not any more; each device counts once. Returns how many like it now."""
        return (await self._mark(consultation_id, Mark(comment_id, MarkKind.LIKE, device_hash), liked)).likes

    async def report(self, consultation_id: str, comment_id: str, device_hash: str) -> None:
        """Say that it should not be shown; moderators see how many did."""
        await self._mark(consultation_id, Mark(comment_id, MarkKind.REPORT, device_hash), True)

    async def _mark(self, consultation_id: str, mark: Mark, is_set: bool) -> Comment:
        view = await self._airing.view(consultation_id)
        require_commentable(view.consultation, self._boards.clock.wall_ms(), is_cut=False)
        board = await self._boards.get(consultation_id)
        if not board.get(mark.comment_id).is_shown:
            raise NotFoundError(f"comment {mark.comment_id}")
        return await self._written(board, _Wish(view.consultation, mark=mark, set_mark=is_set))

    async def withdraw(self, consultation_id: str, comment_id: str, device_hash: str) -> OwnComment:
        """Take one's own back; comment_changed once it was put to the session."""
        view = await self._airing.view(consultation_id)
        async with self._boards.locked(consultation_id) as board:
            comment = board.get(comment_id)
            if comment.device_hash != device_hash:
                raise NotFoundError(f"comment {comment_id}")
            wall_ms = self._boards.clock.wall_ms()
            after = comment.decided(Decision.WITHDRAW, None, wall_ms)
            if after is not comment:
                closed = closed_promotions(board, [after], "", wall_ms)
                entry = self._boards.entry(view.consultation, VIEWER, "comment.withdrawn", comment.id)
                entries = [entry, *self._boards.closings(view.consultation, VIEWER, closed)]
                async with self._boards.storage.transaction() as unit:
                    await unit.comments.save([after])
                    await unit.promotions.save(closed)
                    await unit.audit.append_all(entries)
                board.put(after)
                for promotion in closed:
                    board.put_promotion(promotion)
            return own(board, after)

    # ── the group commit ────────────────────────────────────────────────────────────────────────

    async def _written(self, board: CommentBoard, wish: _Wish) -> Comment:
        if len(board.unwritten) >= _MOST_UNWRITTEN:
            raise ConferenceError("rate_limited", "too many at once", retry_after_s=2)
        board.unwritten.append(wish)
        try:
            while not wish.is_over:
                if board.committing is not None:
                    await board.committing.wait()
                    continue
                board.committing = committing = asyncio.Event()
                try:
                    async with board.lock:
                        await asyncio.sleep(_GROUP_S)
                        await self._commit(board)
                finally:  # who came meanwhile goes on, also when nobody waits for this one any more
                    board.committing = None
                    committing.set()
        finally:
            if wish in board.unwritten:  # whoever asked is gone: nobody waits for it
                board.unwritten.remove(wish)
        if wish.failed is not None:
            raise wish.failed
        if wish.done is None:
            raise ConferenceError("stale", "the board was read anew")
        return wish.done

    async def _commit(self, board: CommentBoard) -> None:
        """Everything that waits, in one transaction. What fails is told to each."""
        wishes = [each for each in board.unwritten if not each.is_over]
        try:
            if board.is_stale:
                raise ConferenceError("stale", "read anew meanwhile")
            await self._write(board, wishes)
        except ConferenceError as error:
            if error.code == "stale":  # another node wrote: its rows count
                board.is_stale = True
            for each in wishes:
                each.failed = error
        board.unwritten = [each for each in board.unwritten if not each.is_over]

    async def _write(self, board: CommentBoard, wishes: Sequence[_Wish]) -> None:
        if any(wish.comment is not None for wish in wishes):
            await self._boards.regroup(board)
        added, number, shown = dict[tuple[str, str], Comment](), board.last_number, board.last_shown
        for wish in wishes:
            if wish.comment is None:
                continue
            key = wish.comment.device_hash, wish.comment.key
            if key not in added and board.with_key(*key) is None:
                number += 1
                group_id = board.grouping.add(wish.comment.id, wish.comment.text)
                made = replace(wish.comment, number=number, group_id=group_id)
                if made.is_shown:
                    shown += 1
                    made = replace(made, shown_number=shown)
                added[key] = made
        entries = [self._posted(wishes[0].consultation, each) for each in added.values()]
        async with self._boards.storage.transaction() as unit:
            await unit.comments.add(added.values())
            fresh = await unit.comments.mark([each.mark for each in wishes if each.mark and each.set_mark])
            gone = [
                each.mark
                for each in wishes
                if each.mark and not each.set_mark and await unit.comments.unmark(each.mark)
            ]
            marked = _counted(board, fresh, gone)
            await unit.comments.save(marked.values())
            entries += self._marked(wishes[0].consultation, fresh, gone)
            if entries:
                await unit.audit.append_all(entries)
        now_s = self._boards.clock.monotonic()
        for comment in (*added.values(), *marked.values()):
            board.put(comment)
        for _ in added:
            board.arrived(now_s)
        for wish in wishes:
            if wish.comment is not None:
                wish.done = board.with_key(wish.comment.device_hash, wish.comment.key)
            elif wish.mark is not None:
                wish.done = board.get(wish.mark.comment_id)

    def _posted(self, consultation: Consultation, comment: Comment) -> AuditEntry:
        content: dict[str, Value] = {
            "text": Personal(comment.text),
            "nickname": Personal(comment.nickname),
            "state": comment.state.value,
            "reasons": [each.code for each in comment.reasons],
            "watched_ms": comment.program_time_ms,
            "group": comment.group_id,
        }
        if comment.region is not None:
            content["region"] = Personal(comment.region)
        if comment.identity is not None:
            content["identity"] = comment.identity.value
        return self._boards.entry(consultation, VIEWER, "comment.posted", comment.id, **content)

    def _marked(
        self, consultation: Consultation, fresh: Sequence[Mark], gone: Sequence[Mark]
    ) -> list[AuditEntry]:
        """One line for all likes of a commit, and one for all reports: who liked what is in the rows."""
        said: list[AuditEntry] = []
        likes = Counter(each.comment_id for each in fresh if each.kind is MarkKind.LIKE)
        likes.subtract(each.comment_id for each in gone)
        if any(each.kind is MarkKind.LIKE for each in fresh) or gone:
            said.append(self._boards.entry(consultation, VIEWER, "comment.liked", None, comments=dict(likes)))
        reports = Counter(each.comment_id for each in fresh if each.kind is MarkKind.REPORT)
        if reports:
            entry = self._boards.entry(consultation, VIEWER, "comment.reported", None, comments=dict(reports))
            said.append(entry)
        return said

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    async def page(self, consultation_id: str, after: int | None = None) -> PublicComments:
        """What everybody sees; the same object until something changed."""
        (await self._airing.view(consultation_id)).consultation.require_public()
        board = await self._boards.get(consultation_id)
        if after is not None:
            return _page(board, after)
        kept = self._pages.get(consultation_id)
        if kept is None or kept[0]() is not board or kept[1] != board.revision:
            if len(self._pages) >= _KEPT_PAGES:
                self._pages.clear()
            kept = self._pages[consultation_id] = ref(board), board.revision, _page(board, None)
        return kept[2]

    async def mine(
        self, consultation_id: str, comment_ids: Sequence[str], device_hash: str
    ) -> list[OwnComment]:
        """Those of them that this device wrote."""
        (await self._airing.view(consultation_id)).consultation.require_public()
        board = await self._boards.get(consultation_id)
        found = (board.comments.get(each) for each in dict.fromkeys(comment_ids))
        return [own(board, each) for each in found if each is not None and each.device_hash == device_hash]

    # ── addresses ───────────────────────────────────────────────────────────────────────────────

    async def erase_addresses(self) -> None:
        """Delete those whose days are over, with a trace. Call now and then."""
        before_ms = self._boards.clock.wall_ms() - self._address_days * _DAY_MS
        async with self._boards.storage.reading() as unit:
            found = await unit.comments.with_addresses(before_ms)
        for consultation_id in found:
            async with self._boards.storage.transaction() as unit:
                consultation = await unit.consultations.get(consultation_id)
                count = await unit.comments.erase_addresses(consultation_id, before_ms)
                if consultation is not None and count:
                    entry = self._boards.entry(
                        consultation, SYSTEM, "comment.addresses_erased", None, count=count
                    )
                    await unit.audit.append(entry)


def _counted(board: CommentBoard, fresh: Sequence[Mark], gone: Sequence[Mark]) -> dict[str, Comment]:
    """The comments with their new counts."""
    changed: dict[str, Comment] = {}
    for sign, marks in ((1, fresh), (-1, gone)):
        for mark in marks:
            comment = changed.get(mark.comment_id) or board.get(mark.comment_id)
            if mark.kind is MarkKind.LIKE:
                changed[comment.id] = replace(comment, likes=max(0, comment.likes + sign))
            else:
                changed[comment.id] = replace(comment, reports=max(0, comment.reports + sign))
    return changed


def _page(board: CommentBoard, after: int | None) -> PublicComments:
    found: list[Comment] = []
    before: int | None = None
    for comment in board.shown_before(after):
        if len(found) == PAGE:
            before = found[-1].shown_number
            break
        found.append(comment)
    standing = _standing(board, found)
    items = (_public(each, standing.get(each.id, 1)) for each in found)
    return PublicComments(tuple(items), before, board.shown_count)


def _standing(board: CommentBoard, comments: Sequence[Comment]) -> dict[str, int]:
    """For how many people each stands that was put to the session, or answered for its group."""
    found: dict[str, int] = {}
    for group_id in {each.group_id for each in comments if each.state in _FOR_ALL}:
        first, authors = board.representative(group_id).id, board.authors(group_id)
        for comment in comments:
            if comment.group_id == group_id and (
                comment.state is CommentState.PROMOTED
                or (comment.state is CommentState.ANSWERED and comment.id == first)
            ):
                found[comment.id] = max(1, authors)
    return found


def _public(comment: Comment, authors: int) -> PublicComment:
    c = comment
    return PublicComment(
        c.id,
        c.nickname,
        c.region,
        c.text,
        c.program_time_ms,
        c.at_wall_ms,
        c.state,
        c.likes,
        c.group_id,
        authors,
    )


def own(board: CommentBoard, comment: Comment) -> OwnComment:
    """What its author is told. What waits is pending, however it waits; what a person hid was rejected; and where
    another one was taken to the session for the whole group, or answered then, this one was, too."""
    state = comment.state
    if state in WAITING:
        state = CommentState.PENDING
    elif state is CommentState.HIDDEN:
        state = CommentState.REJECTED
    taken = board.taken(comment)
    if taken is not None and state in (CommentState.PENDING, CommentState.APPROVED):
        state = CommentState.ANSWERED if taken.state is CommentState.ANSWERED else CommentState.PROMOTED
    reason = _mendable(comment) if state is CommentState.REJECTED else None
    return OwnComment(comment.id, state, comment.text, comment.nickname, reason)


def _mendable(comment: Comment) -> str | None:
    """What its author may know of the filter's reasons: no word, nothing that could be tried out one by one."""
    return next((found for each in comment.reasons if (found := _MENDABLE.get(each.code))), None)


def closed_promotions(
    board: CommentBoard, comments: Sequence[Comment], by: str, wall_ms: int
) -> list[Promotion]:
    """Proposals that fall with their comments: these are not to be shown any more."""
    fallen = {each.id for each in comments if not each.may(Decision.PROMOTE) and each.state not in SHOWN}
    return [
        each.closed(PromotionState.WITHDRAWN, by, wall_ms)
        for each in board.promotions.values()
        if each.is_open and each.comment_id in fallen
    ]
