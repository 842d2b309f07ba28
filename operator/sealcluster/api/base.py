"""What all API models share: frozen, camelCase on the wire, strict about unknown fields, with their rules beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

_IRREGULAR = {"node_ip": "nodeIP", "extra_sans": "extraSANs", "machine_id": "machineID"}


def wire_name(attribute: str) -> str:
    """Name of a Python attribute in YAML; initialisms keep their capitals as Kubernetes writes them."""
    return _IRREGULAR.get(attribute) or to_camel(attribute)


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint between fields that a JSON schema cannot express, said once for both judges.

    `cel` becomes an x-kubernetes-validations entry of the CRD, `holds` is the same rule for a model in Python;
    `field` is the path, relative to the model, that the message is about.
    """

    cel: str
    holds: Callable[[Any], bool]
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Immutable:
    """Marks a field (inside Annotated) that keeps its first value for the life of the cluster."""

    why: str


class ApiModel(BaseModel):
    """Base of everything in the API: an unknown field is an error, as kubectl's strict validation makes it one."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=wire_name,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Constraints between the fields of this model."""

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        for rule in self.rules:
            if not rule.holds(self):
                raise ValueError(f"{rule.field}: {rule.message}" if rule.field else rule.message)
        return self

    def dump(self) -> dict[str, Any]:
        """JSON-compatible mapping with wire names; what is None is left out, as the API server expects."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
