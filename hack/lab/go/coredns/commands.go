// Package commands pins the CoreDNS that the lab builds.
package commands

import (
	_ "github.com/coredns/coredns/core/plugin"
	_ "github.com/coredns/coredns/coremain"
)
