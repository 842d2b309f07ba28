"""`python -m sealcluster`."""

from sealcluster.cli.main import main

main()
