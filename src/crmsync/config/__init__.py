"""What a project's files say besides the rules: settings, secrets by reference, mappings."""

from crmsync.config.jobs import JobConfig
from crmsync.config.mapping_file import read_mapping
from crmsync.config.project_file import ConnectionConfig, ProjectConfig, load_project
from crmsync.config.resolving import resolve
from crmsync.config.secrets import SecretSources, store_secret
from crmsync.config.tokens import FileTokenShelf

__all__ = [
    "ConnectionConfig",
    "FileTokenShelf",
    "JobConfig",
    "ProjectConfig",
    "SecretSources",
    "load_project",
    "read_mapping",
    "resolve",
    "store_secret",
]
