"""What all API models share: frozen, camelCase on the wire, strict about unknown fields, with their rules beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

_IRREGULAR = {"node_ip": "nodeIP", "extra_sans": "extraSANs", "machine_id": "machineID"}


def wire_name(attribute: str) -> str:
    """Name of a Python attribute in YAML; initialisms keep their capitals as Kubernetes writes them."""
    return _IRREGULAR.get(attribute) or to_camel(attribute)


VALIDATIONS = "x-kubernetes-validations"
"""Key of a schema under which the API server finds CEL rules."""


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

    def entry(self) -> dict[str, str]:
        """The rule as the CRD has it."""
        path = {"fieldPath": f".{self.field}"} if self.field else {}
        return {"rule": self.cel, "message": self.message, **path}


@dataclass(frozen=True, slots=True)
class ScalarRule:
    """A CEL rule (inside Annotated) of one field; `self` is its value. The validator beside it says the same in Python."""

    cel: str
    message: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _with_rule(handler(core), {"rule": self.cel, "message": self.message})


@dataclass(frozen=True, slots=True)
class Immutable:
    """Marks a field (inside Annotated) that keeps its first value for the life of the cluster."""

    why: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _with_rule(handler(core), {"rule": "self == oldSelf", "message": f"cannot be changed: {self.why}"})


def _with_rule(schema: JsonSchemaValue, rule: dict[str, str]) -> JsonSchemaValue:
    return {**schema, VALIDATIONS: [*schema.get(VALIDATIONS, []), rule]}


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

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        reference = handler(core)
        if cls.rules:
            handler.resolve_ref_schema(reference)[VALIDATIONS] = [rule.entry() for rule in cls.rules]
        return reference

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        """The API server drops a null before it fills in defaults; `labels:` with nothing behind it is such a null."""
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        for rule in self.rules:
            if not rule.holds(self):
                raise ValueError(f"{rule.field}: {rule.message}" if rule.field else rule.message)
        return self

    def dump(self) -> dict[str, Any]:
        """JSON-compatible mapping with wire names; what is None is left out, as the API server expects."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
