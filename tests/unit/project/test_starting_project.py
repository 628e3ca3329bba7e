"""A new project passes its own check, whatever it was started from."""

from pathlib import Path

import pytest

from crmsync.config.project_file import load_project
from crmsync.connector import connector, connectors
from crmsync.errors import ConfigError
from crmsync.project.checking import check
from crmsync.project.opening import open_project
from crmsync.project.shipped import shipped_rulesets
from crmsync.project.starting import NewProject, settings_to_fill, start
from crmsync.testing import SandboxClock


def new_project(folder: Path, crm: str, ruleset: str = "retail-rfm") -> None:
    spec = connector(crm)
    start(
        NewProject(
            folder=folder,
            spec=spec,
            ruleset=ruleset,
            connection="practice",
            language="en",
            time_zone="UTC",
            keys={item.name: item.start for item in settings_to_fill(spec)},
        )
    )


@pytest.mark.parametrize("crm", [spec.name for spec in connectors()])
@pytest.mark.parametrize("ruleset", shipped_rulesets())
def test_a_new_project_has_no_findings(tmp_path: Path, crm: str, ruleset: str) -> None:
    new_project(tmp_path, crm, ruleset)
    report = check(tmp_path, ())
    assert "crmsync.yaml" in report.texts
    assert len(report.texts) == 4
    assert report.diagnostics == ()


@pytest.mark.parametrize("crm", [spec.name for spec in connectors()])
def test_secrets_are_written_as_references_and_never_asked_for(tmp_path: Path, crm: str) -> None:
    settings = settings_to_fill(connector(crm))
    hidden = [item.name for item in settings if item.is_secret]
    assert hidden
    assert not any(item.is_open for item in settings if item.is_secret)
    new_project(tmp_path, crm)
    keys = load_project(tmp_path).connections["practice"].keys
    assert all(str(keys[name]).startswith("secret:") for name in hidden)


def test_an_unfilled_setting_is_named_before_anything_is_asked_of_the_crm(tmp_path: Path) -> None:
    new_project(tmp_path, "zoho")
    project = open_project(tmp_path, now=SandboxClock().now)
    with pytest.raises(ConfigError) as caught, project.reader(project.connection(None)):
        pass
    assert "client_id" in caught.value.message.en
    assert "crmsync.yaml:7" in caught.value.message.zh


def test_state_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    new_project(tmp_path, "fxiaoke")
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "var" / "plan.key").stat().st_mode & 0o777 == 0o600
