"""What every HostPort must do, whatever is behind it: the same suite runs on the model and on real machines.

A case is an async function of a `Rig`: one machine nobody has claimed yet, and the means to treat it badly. Cases know only the
port. `CASES` lists them; a runner parametrises over it and gives each a fresh machine.
"""

from contract import host_content, host_jobs, host_owner
from contract.rig import CASES

__all__ = ["CASES", "host_content", "host_jobs", "host_owner"]
