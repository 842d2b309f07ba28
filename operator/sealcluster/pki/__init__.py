"""Certificates: the cluster's CAs, what a master must have, signing what hosts ask for. Pure; `cryptography` lives here only."""
