"""Named placeholders in texts that are filled in for each customer: ``{name}``, ``{days}``."""

from __future__ import annotations

import re

from crmsync.model.text import Text
from crmsync.rules.shape import Findings
from crmsync.source import Scalar, did_you_mean

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}|[{}]")


def check_placeholders(found: Scalar, known: tuple[str, ...], findings: Findings) -> None:
    """Note every placeholder that is not *known*, and every brace without its partner."""
    for match in _PLACEHOLDER.finditer(found.text):
        name = match.group(1)
        if name in known:
            continue
        span = found.part(match.start(), match.end())
        if name is None:
            findings.add(
                "RULE112",
                span,
                Text(zh="花括号没有成对", en="this brace has no partner"),
                Text(zh="占位符写成 {name} 这样", en="Write a placeholder like {name}."),
            )
            continue
        mend, near = did_you_mean(name, known)
        findings.add(
            "RULE112",
            span,
            Text(zh=f"没有占位符“{{{name}}}”", en=f"there is no placeholder “{{{name}}}”"),
            mend,
            fix=f"{{{near}}}" if near is not None and found.verbatim else None,
        )
