"""Every entry of the table of bad examples is refused by the models with a message that names the field."""

from typing import Any

import pytest
import yaml

from labkit.manifests import BAD, EXAMPLES, manifest
from sealcluster.api import InvalidSealCluster, parse, validate


@pytest.mark.parametrize("entry", BAD, ids=lambda entry: entry["name"])
def test_bad_example_is_refused_by_name(entry: dict[str, Any]) -> None:
    with pytest.raises(InvalidSealCluster) as refusal:
        parse(manifest(entry["spec"]))
    fields = [error.field for error in refusal.value.errors]
    assert entry["field"] in fields
    assert entry.get("says", "") in str(refusal.value)
    assert len(fields) == 1, f"one mistake, one error: {refusal.value}"


def test_the_base_of_the_table_is_good() -> None:
    assert validate(parse(manifest()).spec) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_good(path: Any) -> None:
    assert validate(parse(yaml.safe_load(path.read_text())).spec) == []


def test_a_refusal_does_not_repeat_values() -> None:
    with pytest.raises(InvalidSealCluster) as refusal:
        parse(manifest({"ssh": {"password": "hunter2"}, "env": {"TOKEN": ["hunter2"]}}))
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(refusal.value)


def test_every_error_is_listed_at_once() -> None:
    with pytest.raises(InvalidSealCluster) as refusal:
        parse(manifest({"paused": "yes", "deletionPolicy": "Delete", "endpoint": {"port": 0}}))
    assert {error.field for error in refusal.value.errors} == {"spec.paused", "spec.deletionPolicy", "spec.endpoint.port"}
