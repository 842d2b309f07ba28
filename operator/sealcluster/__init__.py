"""SealCluster: bare Linux machines become Kubernetes clusters, from one declared resource."""
