"""What planning stands on: rules, a resolved mapping, the account and its schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import CreateOnce, Reader
from crmsync.errors import ConfigError
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema, Organization
from crmsync.model.text import Text
from crmsync.plan import Origin
from crmsync.project.loading import describe, load_mapping, load_rules, resolved


@dataclass(frozen=True, slots=True)
class Ground:
    """What a plan stands on: rules, resolved mapping, the account and its schemas."""

    rules: Ruleset
    mapping: CrmMapping
    organization: Organization
    schemas: Mapping[str, ObjectSchema]
    creates_tasks: bool = True
    """Whether tasks may be created: the CRM can create one once, or duplicates are accepted."""

    def origin(self, connection: str, pulled_at: datetime) -> Origin:
        """For the plan's header."""
        target = self.mapping.tasks
        return Origin(
            connection=connection,
            account_id=self.organization.id,
            environment=self.organization.environment,
            pulled_at=pulled_at,
            schema=self.schemas[self.mapping.object],
            task_schema=self.schemas[target.object] if target is not None else None,
        )


def stand(reader: Reader, folder: Path, connection: ConnectionConfig) -> Ground:
    """Load rules and mapping and ask the CRM who and what it is.

    Raises ConfigError where the rules may reassign owners and the CRM's records keep theirs.
    """
    rules = load_rules(folder)
    mapping = load_mapping(folder, connection.connector, rules)
    if rules.reassigns and not reader.capabilities.reassigns:
        raise _owners_stay(connection.connector)
    organization = reader.check()
    schemas = describe(reader, mapping)
    once = reader.capabilities.create_once is not CreateOnce.D
    creates = once or connection.accept_duplicate_tasks
    return Ground(rules, resolved(mapping, schemas), organization, schemas, creates)


def _owners_stay(connector: str) -> ConfigError:
    return ConfigError(
        Text(
            zh=f"{connector} 不能像其他字段一样修改客户的负责人，而规则写了 may_reassign_owner",
            en=f"{connector} does not let a record's owner be written like another field, and the "
            "rules say may_reassign_owner",
        ),
        mend=Text(
            zh="去掉 may_reassign_owner；任务照建，由人在 CRM 中移交客户",
            en="remove may_reassign_owner: tasks are created all the same, and people hand the "
            "customer over in the CRM",
        ),
        code="MAP059",
    )
