"""The pipeline: one file per step, in the order in which a person expects them. What runs when follows from what each needs."""

from sealcluster.phases.authorities import Authorities
from sealcluster.phases.base import Context, Gate, Phase
from sealcluster.phases.bootstrap import Bootstrap, HostsFile, PullContainerImages
from sealcluster.phases.certificates import Certificates
from sealcluster.phases.claim import Claim
from sealcluster.phases.distribute import DistributeRootfs
from sealcluster.phases.guests import Guests
from sealcluster.phases.init_control_plane import InitControlPlane
from sealcluster.phases.join_masters import JoinMasters
from sealcluster.phases.join_nodes import JoinNodes
from sealcluster.phases.kubeconfig import Kubeconfig
from sealcluster.phases.leave import Leave
from sealcluster.phases.load_balancer import LoadBalancer
from sealcluster.phases.node_settings import NodeSettings
from sealcluster.phases.preflight import Preflight
from sealcluster.phases.pull_images import PullImages
from sealcluster.phases.registry import DistributeRegistry
from sealcluster.phases.teardown import Teardown
from sealcluster.phases.units import Units

PHASES: tuple[Phase, ...] = (
    Preflight(),
    PullImages(),
    Authorities(),
    Claim(),
    DistributeRootfs(),
    DistributeRegistry(),
    HostsFile(),
    Certificates(),
    Bootstrap(),
    PullContainerImages(),
    InitControlPlane(),
    JoinMasters(),
    JoinNodes(),
    LoadBalancer(),
    Units(),
    Leave(),
    NodeSettings(),
    Guests(),
    Kubeconfig(),
)

TEARDOWN: tuple[Phase, ...] = (Teardown(),)
"""What runs instead once the cluster is being deleted with `deletionPolicy: Reset`."""

__all__ = ["PHASES", "TEARDOWN", "Context", "Gate", "Phase"]
