"""The two Kubernetes APIs: the management plane's, where our records live, and that of the cluster we build."""
