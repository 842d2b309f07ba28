"""What is wrong with an object: the field, the reason and how to put it right."""

from collections.abc import Iterable
from dataclasses import dataclass

from sealcluster.api.conditions import Reason


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong; never holds the value of a field that may be secret."""

    field: str
    """Path by wire names, such as spec.hosts[3].address."""

    message: str
    """What is wrong and what to write instead."""

    reason: Reason = Reason.INVALID_SPEC
    """Reason for the condition SpecValid."""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class InvalidSealCluster(ValueError):
    """Reading a SealCluster failed; `errors` has everything that is wrong, not only the first."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("reading the SealCluster: " + "; ".join(map(str, self.errors)))
