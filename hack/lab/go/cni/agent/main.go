// Command agent is the lab's pod network: on each node it installs the CNI plugins, writes the CNI
// configuration from the node's pod CIDR and keeps routes to the pod CIDRs of the other nodes.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	pluginSource = "/plugins"
	pluginTarget = "/host/opt/cni/bin"
	configFile   = "/host/etc/cni/net.d/10-lab.conflist"
	retry        = 300 * time.Millisecond
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Getenv("NODE_NAME")); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context, nodeName string) error {
	if nodeName == "" {
		return errors.New("reading the environment: NODE_NAME is not set")
	}
	if err := installPlugins(); err != nil {
		return fmt.Errorf("installing the CNI plugins: %w", err)
	}
	cluster, err := inCluster()
	if err != nil {
		return fmt.Errorf("reading the service account: %w", err)
	}
	// The API answers at its Service address only once kube-proxy has written its rules. The CNI
	// configuration comes after that: CoreDNS, which starts with it, never meets a dead address.
	configured, said := false, ""
	for {
		nodes, version, err := cluster.nodes(ctx)
		if err == nil {
			if !configured {
				configured, err = configure(nodes, nodeName)
			}
			if err == nil {
				err = syncRoutes(nodes, nodeName)
			}
		}
		if err == nil && configured {
			err = cluster.waitForChange(ctx, nodes, version)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && err.Error() != said {
			said = err.Error()
			log.Print(said)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retry):
		}
	}
}

// configure writes the CNI configuration once the node has a pod CIDR.
func configure(nodes []node, nodeName string) (bool, error) {
	for _, item := range nodes {
		if item.Metadata.Name == nodeName && item.Spec.PodCIDR != "" {
			content, err := json.MarshalIndent(cniConfig(item.Spec.PodCIDR), "", "  ")
			if err != nil {
				return false, err
			}
			if err := os.MkdirAll(filepath.Dir(configFile), 0o755); err != nil {
				return false, err
			}
			// Written in place: containerd 1.6 does not notice a file that is renamed into the folder.
			if err := os.WriteFile(configFile, content, 0o644); err != nil {
				return false, err
			}
			log.Printf("wrote the CNI configuration for %s", item.Spec.PodCIDR)
			return true, nil
		}
	}
	log.Printf("node %s has no pod CIDR yet", nodeName)
	return false, nil
}

func cniConfig(podCIDR string) map[string]any {
	return map[string]any{
		"cniVersion": "0.4.0",
		"name":       "lab",
		"plugins": []any{
			map[string]any{
				"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "hairpinMode": true,
				"ipam": map[string]any{
					"type":   "host-local",
					"ranges": []any{[]any{map[string]any{"subnet": podCIDR}}},
				},
			},
			map[string]any{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
		},
	}
}

// installPlugins replaces each plugin by rename: a running plugin keeps its file.
func installPlugins() error {
	entries, err := os.ReadDir(pluginSource)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(pluginTarget, 0o755); err != nil {
		return err
	}
	for _, entry := range entries {
		target := filepath.Join(pluginTarget, entry.Name())
		if err := copyFile(filepath.Join(pluginSource, entry.Name()), target+".new"); err != nil {
			return err
		}
		if err := os.Rename(target+".new", target); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(source, target string) error {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(target, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
