"""The organisation and users of the Zoho sandbox; every person is invented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crmsync_zoho.sandbox_replies import Answer, Json


@dataclass(frozen=True, slots=True)
class ZohoUser:
    """One user of the account."""

    id: str
    name: str
    email: str
    active: bool = True

    def describe(self) -> dict[str, Json]:
        """The user as ``users`` shows it."""
        first, _, last = self.name.partition(" ")
        return {
            "id": self.id,
            "full_name": self.name,
            "first_name": first if last else None,
            "last_name": last or first,
            "email": self.email,
            "status": "active" if self.active else "disabled",
            "confirm": True,
            "time_zone": "Asia/Shanghai",
            "language": "en_US",
            "locale": "en_US",
            "role": {"name": "CEO", "id": f"{self.id[:-3]}901"},
            "profile": {"name": "Administrator", "id": f"{self.id[:-3]}902"},
        }


class Directory:
    """Users by id and by name. A name nobody has heard of becomes a user when it writes."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._users: dict[str, ZohoUser] = {}
        self.integration = self.add("crmsync Integration", "crmsync@practice.example")

    def add(self, name: str, email: str = "", *, active: bool = True) -> ZohoUser:
        """Add a user; the one of that name where there is one already."""
        for user in self._users.values():
            if user.name == name:
                return user
        user_id = self._new_id()
        mail = email or f"user{len(self._users)}@practice.example"
        user = self._users[user_id] = ZohoUser(user_id, name, mail, active)
        return user

    def retire(self, user_id: str) -> None:
        """Somebody leaves the company."""
        user = self._users[user_id]
        self._users[user_id] = ZohoUser(user.id, user.name, user.email, active=False)

    def name_of(self, user_id: str) -> str | None:
        """The name behind an id."""
        user = self._users.get(user_id)
        return user.name if user else None

    def who(self, actor: str) -> dict[str, str]:
        """A user as records show it, for an id or for a name of somebody who wrote."""
        user = self._users.get(actor) or self.add(actor)
        return {"name": user.name, "id": user.id}

    def all(self) -> tuple[ZohoUser, ...]:
        """Every user, in the order they came."""
        return tuple(self._users.values())

    def answer(self, query: dict[str, str]) -> Answer:
        """Answer ``GET /users``."""
        kind = query.get("type", "AllUsers")
        users = [
            user
            for user in self._users.values()
            if (kind != "CurrentUser" or user.id == self.integration.id)
            and (kind not in {"ActiveUsers", "ActiveConfirmedUsers"} or user.active)
        ]
        page, size = int(query.get("page", 1)), int(query.get("per_page", 200))
        part = users[(page - 1) * size : page * size]
        if not part:
            return Answer(204)
        info = {
            "page": page,
            "per_page": size,
            "count": len(part),
            "more_records": page * size < len(users),
        }
        return Answer(200, {"users": [user.describe() for user in part], "info": info})


def organisation(org_id: str) -> Answer:
    """Answer ``GET /org``."""
    return Answer(
        200,
        {
            "org": [
                {
                    "id": org_id,
                    "zgid": org_id[-9:],
                    "company_name": "Practice Trading Co.",
                    "domain_name": "practice",
                    "time_zone": "Asia/Shanghai",
                    "currency": "Chinese Yuan - CNY",
                    "iso_code": "CNY",
                    "currency_symbol": "¥",
                    "country_code": "CN",
                    "type": "production",
                    "license_details": {"paid_type": "enterprise", "paid": True},
                }
            ]
        },
    )
