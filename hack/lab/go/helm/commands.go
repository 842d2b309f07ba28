// Package commands pins the helm that the lab builds.
package commands

import (
	_ "helm.sh/helm/v3/pkg/action"
	_ "helm.sh/helm/v3/pkg/cli"
)
