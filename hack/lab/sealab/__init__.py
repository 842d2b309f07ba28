"""The lab: real machines, real Kubernetes binaries, cluster images and a management plane on one Linux computer."""
