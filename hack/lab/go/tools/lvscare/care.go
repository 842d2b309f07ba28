package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

const routeMetric = 50

// health is what is in IPVS for a real server.
type health int

const (
	absent health = iota
	weighted
	drained
)

// care sets the virtual server up and keeps its real servers right until it is told to end.
func care(ctx context.Context, wanted settings) error {
	if err := loadModules(); err != nil {
		log.Print(err)
	}
	if err := addRoute(wanted.virtual); err != nil {
		return err
	}
	if err := addService(wanted); err != nil {
		return err
	}
	state := map[string]health{}
	for {
		round(ctx, wanted, state)
		if wanted.runOnce {
			return nil
		}
		select {
		case <-ctx.Done():
			return ipvsadm("-D", "-t", wanted.virtual)
		case <-time.After(wanted.interval):
		}
	}
}

// round asks every real server once and brings IPVS in line with the answers.
func round(ctx context.Context, wanted settings, state map[string]health) {
	answers := make([]error, len(wanted.real))
	var waiting sync.WaitGroup
	for index, server := range wanted.real {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			answers[index] = ask(ctx, wanted, server)
		}()
	}
	waiting.Wait()
	for index, server := range wanted.real {
		next, err := move(wanted, server, state[server], answers[index])
		if err != nil {
			log.Printf("%s: %v", server, err)
			continue
		}
		if next != state[server] {
			log.Printf("%s: %s (%v)", server, []string{"removed", "in use", "no new connections"}[next], answers[index])
		}
		state[server] = next
	}
}

// move: a bad server first gets no new connections and is removed by the next bad round.
func move(wanted settings, server string, now health, problem error) (health, error) {
	switch {
	case problem == nil && now == absent:
		return weighted, ipvsadm("-a", "-t", wanted.virtual, "-r", server, "-m", "-w", "1")
	case problem == nil && now == drained:
		return weighted, ipvsadm("-e", "-t", wanted.virtual, "-r", server, "-m", "-w", "1")
	case problem != nil && now == weighted:
		return drained, ipvsadm("-e", "-t", wanted.virtual, "-r", server, "-m", "-w", "0")
	case problem != nil && now == drained:
		return absent, ipvsadm("-d", "-t", wanted.virtual, "-r", server)
	}
	return now, nil
}

func ask(ctx context.Context, wanted settings, server string) error {
	ctx, cancel := context.WithTimeout(ctx, wanted.timeout)
	defer cancel()
	// The real balancer does not verify either: it asks whether somebody answers, not who.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, wanted.schema+"://"+server+wanted.path, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return errors.New(response.Status)
	}
	return nil
}

// addService creates the virtual server; servers that an earlier run left in it are removed.
func addService(wanted settings) error {
	if err := ipvsadm("-A", "-t", wanted.virtual, "-s", wanted.scheduler); err == nil {
		return nil
	}
	if err := ipvsadm("-D", "-t", wanted.virtual); err != nil {
		return err
	}
	return ipvsadm("-A", "-t", wanted.virtual, "-s", wanted.scheduler)
}

// addRoute makes connections to the VIP leave through the node's own address, where IPVS takes them.
func addRoute(virtual string) error {
	address := os.Getenv("LVSCARE_NODE_IP")
	if address == "" {
		if found, err := net.LookupHost("lvscare.node.ip"); err == nil && len(found) > 0 {
			address = found[0]
		}
	}
	if address == "" {
		log.Print("no LVSCARE_NODE_IP and no lvscare.node.ip: the route is left as it is")
		return nil
	}
	host, _, err := net.SplitHostPort(virtual)
	if err != nil {
		return fmt.Errorf("reading --vs: %w", err)
	}
	target := &net.IPNet{IP: net.ParseIP(host).To4(), Mask: net.CIDRMask(32, 32)}
	route := &netlink.Route{Dst: target, Gw: net.ParseIP(address), Priority: routeMetric}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("adding the route to %s through %s: %w", host, address, err)
	}
	return nil
}

func loadModules() error {
	for _, module := range []string{"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh"} {
		if output, err := exec.Command("modprobe", module).CombinedOutput(); err != nil {
			return fmt.Errorf("loading %s: %w: %s", module, err, strings.TrimSpace(string(output)))
		}
	}
	return nil
}

func ipvsadm(args ...string) error {
	if output, err := exec.Command("ipvsadm", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ipvsadm %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
