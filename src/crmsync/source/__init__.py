"""Text with positions: reads YAML, explains its mistakes, shows findings with an excerpt."""

from crmsync.source.findings import (
    did_you_mean,
    error,
    has_errors,
    nearest,
    not_here,
    warning,
    without_echoes,
)
from crmsync.source.fixing import apply_fixes
from crmsync.source.nodes import Mapping, Node, Scalar, ScalarValue, Sequence, Style
from crmsync.source.reading import SourceFile, read_file, read_yaml
from crmsync.source.rendering import by_place, render, summary
from crmsync.source.slips import forgiving

__all__ = [
    "Mapping",
    "Node",
    "Scalar",
    "ScalarValue",
    "Sequence",
    "SourceFile",
    "Style",
    "apply_fixes",
    "by_place",
    "did_you_mean",
    "error",
    "forgiving",
    "has_errors",
    "nearest",
    "not_here",
    "read_file",
    "read_yaml",
    "render",
    "summary",
    "warning",
    "without_echoes",
]
