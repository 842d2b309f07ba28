"""From an op to what it does on a machine."""

from __future__ import annotations

from sealcluster.core import ops
from sealcluster.core.ops import JobResult
from sealcluster.testing.model import contentops, fileops, kubeadm
from sealcluster.testing.model.execution import Execution, Failed
from sealcluster.testing.model.files import DiskFull

LOG_LINES = 20


async def carry_out(run: Execution) -> JobResult:
    """Run the op to its end. Everything an op can do wrong is a result; only cancellation (power loss) leaves none."""
    started = run.now
    try:
        await _dispatch(run)
        rc = 0
    except Failed as error:
        run.log.append(str(error))
        rc = error.rc
    except DiskFull as error:
        run.log.append(str(error))
        rc = 1
    return JobResult(rc, "\n".join(run.log[-LOG_LINES:]), run.output if rc == 0 else "", run.now - started)


async def _dispatch(run: Execution) -> None:  # noqa: PLR0912 - one line per verb reads better than a table of casts
    match run.job.op:
        case ops.Claim() as op:
            await fileops.claim(run, op)
        case ops.InstallRootfs() as op:
            await contentops.install_rootfs(run, op)
        case ops.FetchParts() as op:
            await contentops.fetch_parts(run, op)
        case ops.CommitRegistry() as op:
            await contentops.commit_registry(run, op)
        case ops.WriteHosts() as op:
            await fileops.write_hosts(run, op)
        case ops.RunScript() as op:
            await fileops.run_script(run, op)
        case ops.PrepareRegistry() as op:
            await contentops.prepare_registry(run, op)
        case ops.PullImages() as op:
            await contentops.pull_images(run, op)
        case ops.GenerateCSRs() as op:
            await fileops.generate_csrs(run, op)
        case ops.InstallCertificates() as op:
            await fileops.install_certificates(run, op)
        case ops.KubeadmInit() as op:
            await kubeadm.init(run, op)
        case ops.KubeadmJoin() as op:
            await kubeadm.join(run, op)
        case ops.KubeadmReset():
            await kubeadm.reset(run)
        case ops.PutFiles() as op:
            await fileops.put_files(run, op)
        case ops.Guest() as op:
            await fileops.guest(run, op)
        case ops.EtcdMember() as op:
            await fileops.etcd_member(run, op)
        case ops.StartUnits() as op:
            await fileops.start_units(run, op)
        case ops.RestoreManifests():
            await fileops.restore_manifests(run)
        case ops.CleanHost() as op:
            await fileops.clean_host(run, op)
