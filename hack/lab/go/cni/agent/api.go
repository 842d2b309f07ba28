package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/"

// node is the part of a Node that the network needs.
type node struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		PodCIDR string `json:"podCIDR"`
	} `json:"spec"`
	Status struct {
		Addresses []struct {
			Type    string `json:"type"`
			Address string `json:"address"`
		} `json:"addresses"`
	} `json:"status"`
}

func (n node) internalIP() net.IP {
	for _, address := range n.Status.Addresses {
		if address.Type == "InternalIP" {
			return net.ParseIP(address.Address)
		}
	}
	return nil
}

// network is what routes are made of.
func (n node) network() string {
	return n.Spec.PodCIDR + " " + n.internalIP().String()
}

// apiServer is the cluster's API at its Service address.
type apiServer struct {
	base   string
	client *http.Client
}

func inCluster() (*apiServer, error) {
	ca, err := os.ReadFile(serviceAccount + "ca.crt")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	host := net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		// Short: a connection that was started before kube-proxy's rule exists never succeeds.
		DialContext: (&net.Dialer{Timeout: 500 * time.Millisecond}).DialContext,
	}
	return &apiServer{base: "https://" + host, client: &http.Client{Transport: transport}}, nil
}

// get asks for a path; the token is read each time because the kubelet renews it.
func (a *apiServer) get(ctx context.Context, path string) (*http.Response, error) {
	token, err := os.ReadFile(serviceAccount + "token")
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("getting %s: %s", path, response.Status)
	}
	return response, nil
}

// nodes lists all nodes and the resource version to watch from.
func (a *apiServer) nodes(ctx context.Context) ([]node, string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	response, err := a.get(ctx, "/api/v1/nodes")
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []node `json:"items"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, "", fmt.Errorf("reading the list of nodes: %w", err)
	}
	return list.Items, list.Metadata.ResourceVersion, nil
}

// waitForChange returns when the nodes' pod CIDRs or addresses differ from `nodes`, or after some minutes.
func (a *apiServer) waitForChange(ctx context.Context, nodes []node, version string) error {
	query := url.Values{"watch": {"1"}, "resourceVersion": {version}, "timeoutSeconds": {"240"}}
	ctx, cancel := context.WithTimeout(ctx, 250*time.Second)
	defer cancel()
	response, err := a.get(ctx, "/api/v1/nodes?"+query.Encode())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	known := map[string]string{}
	for _, item := range nodes {
		known[item.Metadata.Name] = item.network()
	}
	decoder := json.NewDecoder(response.Body)
	for {
		var event struct {
			Type   string `json:"type"`
			Object node   `json:"object"`
		}
		if err := decoder.Decode(&event); err != nil {
			return nil //nolint:nilerr // the watch ended: the caller lists again
		}
		// Heartbeats modify a node every few seconds: only what routes are made of counts.
		seen, isKnown := known[event.Object.Metadata.Name]
		if event.Type != "MODIFIED" || !isKnown || seen != event.Object.network() {
			return nil
		}
	}
}
