"""Keys are made on the machine and stay there; certificates come to them."""

import asyncio
import shutil

import pytest

from sealcluster.core.ops import File, GenerateCSRs, InstallCertificates
from sealcluster.core.ports import FactsQuery
from sshkit.ops import CONFIG, ROOT, do, done


def requests(output):
    found, name = {}, ""
    for line in output.splitlines(keepends=True):
        if line.startswith("== "):
            name = line[3:].strip()
            found[name] = ""
        else:
            found[name] += line
    return found


async def openssl(*arguments, given=b""):
    process = await asyncio.create_subprocess_exec("openssl", *arguments, stdin=-1, stdout=-1, stderr=-1)
    out, err = await process.communicate(given)
    assert process.returncode == 0, err
    return out


async def public_of_request(pem):
    return await openssl("req", "-noout", "-pubkey", given=pem.encode())


async def public_of_key(pem):
    return await openssl("pkey", "-pubout", given=pem)


CA = File("/etc/kubernetes/pki/ca.crt", b"CA", 0o644)


@pytest.mark.skipif(not shutil.which("openssl"), reason="the stand-in for kubeadm makes keys with openssl")
async def test_keys_are_made_on_the_host_and_stay_there(m1, kubeadm):
    asked = requests((await done(m1, GenerateCSRs(ROOT, CONFIG, (CA,)))).output)
    assert sorted(asked) == ["admin.conf", "apiserver", "etcd/server", "kubelet.conf"]
    assert m1.file("/etc/kubernetes/pki/ca.crt").read_bytes() == b"CA"
    # until a certificate comes, nothing that kubeadm would look at is there
    assert [f.name for f in m1.file("/etc/kubernetes").rglob("*") if f.is_file()] == ["ca.crt"]

    again = requests((await done(m1, GenerateCSRs(ROOT, CONFIG, (CA,)))).output)
    assert again == asked

    signed = {"apiserver": "CERT apiserver\n", "etcd/server": "CERT etcd\n", "admin.conf": "CERT admin\n"}
    await done(m1, InstallCertificates(signed, "CA", "https://apiserver.cluster.local:6443"))
    pki = m1.file("/etc/kubernetes/pki")
    assert (pki / "apiserver.crt").read_text() == "CERT apiserver\n"
    assert (pki / "etcd/server.crt").read_text() == "CERT etcd\n"
    assert await public_of_key((pki / "apiserver.key").read_bytes()) == await public_of_request(asked["apiserver"])
    assert (pki / "apiserver.key").stat().st_mode & 0o777 == 0o600
    admin = m1.file("/etc/kubernetes/admin.conf")
    assert admin.stat().st_mode & 0o777 == 0o600
    assert "server: https://apiserver.cluster.local:6443" in admin.read_text()
    assert not m1.file("/etc/kubernetes/kubelet.conf").exists()
    facts = await m1.port_.facts(FactsQuery(certificates=True))
    assert facts.certificates == {"apiserver": "CERT apiserver\n", "etcd/server": "CERT etcd\n", "admin.conf": "CERT admin\n"}

    later = requests((await done(m1, GenerateCSRs(ROOT, CONFIG, (CA,)))).output)
    assert {name: await public_of_request(pem) for name, pem in later.items()} == {
        name: await public_of_request(pem) for name, pem in asked.items()
    }
    await done(m1, InstallCertificates({"apiserver": "NEW\n", "admin.conf": "NEW admin\n"}, "CA", "https://x:6443"))
    assert (pki / "apiserver.crt").read_text() == "NEW\n"
    assert (await m1.port_.facts(FactsQuery(certificates=True))).certificates["admin.conf"] == "NEW admin\n"


@pytest.mark.skipif(not shutil.which("openssl"), reason="the stand-in for kubeadm makes keys with openssl")
async def test_a_key_that_somebody_else_made_is_requested_for_as_it_is(m1, kubeadm):
    pki = m1.file("/etc/kubernetes/pki")
    pki.mkdir(parents=True)
    key = await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    (pki / "apiserver.key").write_bytes(key)
    asked = requests((await done(m1, GenerateCSRs(ROOT, CONFIG, ()))).output)
    assert await public_of_request(asked["apiserver"]) == await public_of_key(key)
    assert (pki / "apiserver.key").read_bytes() == key


async def test_a_certificate_without_its_key_is_refused(m1):
    result = await do(m1, InstallCertificates({"apiserver": "PEM"}, "CA", "https://x:6443"))
    assert result.rc == 66
    assert "its key is not on the host" in result.log


KUBECONFIG = "clusters:\n- cluster:\n    server: https://x:6443\nusers:\n- user:\n    client-key-data: c2VjcmV0\n"


@pytest.fixture
def admin(m1):
    file = m1.file("/etc/kubernetes/admin.conf")
    file.parent.mkdir()
    file.write_text(KUBECONFIG)
    file.chmod(0o600)
    return file


async def test_the_key_of_a_kubeconfig_is_never_readable_by_others(m1, admin):
    seen = m1.file("/modes")
    m1.box.tool("awk", f'#!/bin/sh\nstat -L -c %a /proc/$$/fd/1 >>{seen}\nexec {shutil.which("awk")} "$@"\n')
    await done(m1, InstallCertificates({"admin.conf": "CERT admin\n"}, "CA", "https://x:6443"))
    assert seen.read_text().split() == ["600"]
    assert admin.stat().st_mode & 0o777 == 0o600


async def test_a_kubeconfig_that_cannot_be_completed_leaves_no_other_copy_of_its_key(m1, admin):
    admin.write_text(KUBECONFIG.replace("    server: https://x:6443\n", ""))
    result = await do(m1, InstallCertificates({"admin.conf": "CERT admin\n"}, "CA", "https://x:6443"))
    assert result.rc == 1
    assert "expected one server" in result.log
    assert list(admin.parent.iterdir()) == [admin]
