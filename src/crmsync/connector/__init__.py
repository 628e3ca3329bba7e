"""What a connector author imports: the contract and the parts that help to keep it."""

from crmsync.connector.context import ConnectionContext, Secrets, TokenShelf
from crmsync.connector.contract import (
    Capabilities,
    Connector,
    CreateOnce,
    Everything,
    FieldHistory,
    FieldIn,
    FieldProvisioner,
    FieldWorksheet,
    ModifiedSince,
    Page,
    QuotaReporter,
    Reader,
    ReadQuery,
    UserDirectory,
    Where,
    WriteOptions,
)
from crmsync.connector.registry import connector, connectors
from crmsync.connector.spec import ConnectorSpec

__all__ = [
    "Capabilities",
    "ConnectionContext",
    "Connector",
    "ConnectorSpec",
    "CreateOnce",
    "Everything",
    "FieldHistory",
    "FieldIn",
    "FieldProvisioner",
    "FieldWorksheet",
    "ModifiedSince",
    "Page",
    "QuotaReporter",
    "ReadQuery",
    "Reader",
    "Secrets",
    "TokenShelf",
    "UserDirectory",
    "Where",
    "WriteOptions",
    "connector",
    "connectors",
]
