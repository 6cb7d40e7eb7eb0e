"""--demo: one consultation with a link for every role, and a staff account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conference.model.audit import SYSTEM
from conference.model.organization import Level, new_password
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft, Consultations
from conference.services.staff import Staff, UserDraft
from signaling.auth.tokens import TokenKey

DEMO_ID: Final = "demo"
DEMO_LOGIN: Final = "demo"
DEMO_ORGANIZATION: Final = "澄川市政协"
_TTL_S: Final = 7 * 24 * 3600

ROLE_NAMES: Final[dict[Role, str]] = {
    Role.CHAIR: "主持人",
    Role.MEMBER: "委员",
    Role.DEPARTMENT: "部门代表",
    Role.EXPERT: "专家",
    Role.CITIZEN: "群众代表",
    Role.VENUE_OPERATOR: "会场操作员",
    Role.MODERATOR: "审核员",
    Role.SECRETARIAT: "秘书处",
    Role.OBSERVER: "列席",
    Role.ORGANIZER: "组织者",
    Role.ADMINISTRATOR: "管理员",
}
_VENUES: Final = {Role.CHAIR: "主会场", Role.VENUE_OPERATOR: "分会场"}
_STAFF: Final = frozenset({Role.ORGANIZER, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class DemoStaff:
    """Somebody to log in as: `url` is where."""

    login: str
    password: str
    url: str


async def demo_staff(staff: Staff, base_url: str) -> DemoStaff:
    """The account of the trial, with another password at every start."""
    organization = await staff.organization_named(DEMO_ORGANIZATION, Level.CITY)
    password = new_password()
    user = await staff.account(DEMO_LOGIN)
    if user is None:
        draft = UserDraft(DEMO_LOGIN, "演示秘书", Role.SECRETARIAT, password, organization.id)
        await staff.add_user(None, draft)
    else:
        await staff.change_user(None, user.id, {}, password=password, disabled=False)
    return DemoStaff(DEMO_LOGIN, password, f"{base_url}/")


async def demo_links(consultations: Consultations, key: TokenKey, base_url: str) -> dict[str, str]:
    """Links by role into the demo consultation, which is made when it is missing or over."""
    consultation = await consultations.rehearse(
        ConsultationDraft(title="远程协商演示", id=DEMO_ID, organization=DEMO_ORGANIZATION)
    )
    links: dict[str, str] = {}
    issued: dict[str, Role] = {}
    for role, name in ROLE_NAMES.items():
        if role in _STAFF:
            continue
        token = key.issue(consultation.id, role, name, venue=_VENUES.get(role), ttl_s=_TTL_S)
        links[role.value] = f"{base_url}/room/{consultation.id}#token={token}"
        issued[key.read(token).token_id] = role
    await consultations.note_tokens(consultation.id, issued, SYSTEM)
    return links
