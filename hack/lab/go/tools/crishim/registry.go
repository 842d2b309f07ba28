package main

import (
	"context"
	"log"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	cachedFor    = 30 * time.Minute
	missingFor   = 5 * time.Second
	lookupTime   = 3 * time.Second
	manifestType = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, " +
		"application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"
)

// registry answers whether the cluster's registry holds an image.
type registry struct {
	base           *url.URL
	user, password string
	client         http.Client
	lock           sync.Mutex
	known          map[string]answer
}

type answer struct {
	name  string
	found bool
	until time.Time
}

func newRegistry(address, auth string) *registry {
	base, err := url.Parse(address)
	if err != nil {
		log.Fatalf("reading the registry's address %q: %v", address, err)
	}
	user, password, _ := strings.Cut(auth, ":")
	return &registry{
		base: base, user: user, password: password,
		client: http.Client{Timeout: lookupTime}, known: map[string]answer{},
	}
}

func (r *registry) auth() *cri.AuthConfig {
	return &cri.AuthConfig{Username: r.user, Password: r.password}
}

// find returns the name of the image in the cluster's registry. Ids and digests are left alone.
func (r *registry) find(ctx context.Context, image string) (string, bool) {
	repository, tag, ok := split(image)
	if !ok {
		return "", false
	}
	r.lock.Lock()
	seen, isKnown := r.known[image]
	r.lock.Unlock()
	if isKnown && time.Now().Before(seen.until) {
		return seen.name, seen.found
	}
	name := r.base.Host + "/" + repository + ":" + tag
	found := r.holds(ctx, repository, tag)
	keep := cachedFor
	if !found {
		keep = missingFor
	}
	r.lock.Lock()
	r.known[image] = answer{name: name, found: found, until: time.Now().Add(keep)}
	r.lock.Unlock()
	return name, found
}

func (r *registry) holds(ctx context.Context, repository, tag string) bool {
	target := r.base.JoinPath("v2", repository, "manifests", tag).String()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, target, nil)
	if err != nil {
		return false
	}
	request.SetBasicAuth(r.user, r.password)
	request.Header.Set("Accept", manifestType)
	response, err := r.client.Do(request)
	if err != nil {
		log.Printf("looking for %s:%s: %v", repository, tag, err)
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// split returns repository (without the registry's host) and tag of an image's name.
func split(image string) (string, string, bool) {
	if strings.HasPrefix(image, "sha256:") || strings.Contains(image, "@") {
		return "", "", false
	}
	repository, tag := image, "latest"
	if cut := strings.LastIndex(image, ":"); cut > strings.LastIndex(image, "/") {
		repository, tag = image[:cut], image[cut+1:]
	}
	host, rest, hasHost := strings.Cut(repository, "/")
	if hasHost && (strings.ContainsAny(host, ".:") || host == "localhost") {
		repository = rest
	}
	isID := len(repository) == 64 && strings.Trim(repository, "0123456789abcdef") == ""
	return repository, tag, !isID
}
