"""What planning stands on: rules, a resolved mapping, the account and its schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import Reader
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema, Organization
from crmsync.plan import Origin
from crmsync.project.loading import describe, load_mapping, load_rules, resolved


@dataclass(frozen=True, slots=True)
class Ground:
    """What a plan stands on: rules, resolved mapping, the account and its schemas."""

    rules: Ruleset
    mapping: CrmMapping
    organization: Organization
    schemas: Mapping[str, ObjectSchema]

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
    """Load rules and mapping and ask the CRM who and what it is."""
    rules = load_rules(folder)
    mapping = load_mapping(folder, connection.connector, rules)
    organization = reader.check()
    schemas = describe(reader, mapping)
    return Ground(rules, resolved(mapping, schemas), organization, schemas)
