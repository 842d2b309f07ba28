"""Bytes and processes over SSH; knows nothing of Kubernetes."""
