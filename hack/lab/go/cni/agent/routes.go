package main

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

// routeProtocol marks the routes that are ours, so that those of nodes that left can be removed.
const routeProtocol = 173

// syncRoutes makes one route per other node: its pod CIDR through its address.
func syncRoutes(nodes []node, self string) error {
	wanted := map[string]net.IP{}
	for _, item := range nodes {
		address := item.internalIP()
		if item.Metadata.Name != self && item.Spec.PodCIDR != "" && address != nil {
			wanted[item.Spec.PodCIDR] = address
		}
	}
	filter := &netlink.Route{Protocol: routeProtocol}
	present, err := netlink.RouteListFiltered(netlink.FAMILY_V4, filter, netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return fmt.Errorf("listing routes: %w", err)
	}
	for _, route := range present {
		if route.Dst != nil && wanted[route.Dst.String()] == nil {
			if err := netlink.RouteDel(&route); err != nil {
				return fmt.Errorf("removing the route to %s: %w", route.Dst, err)
			}
		}
	}
	for cidr, gateway := range wanted {
		_, destination, err := net.ParseCIDR(cidr)
		if err != nil {
			return fmt.Errorf("reading a pod CIDR: %w", err)
		}
		route := &netlink.Route{Dst: destination, Gw: gateway, Protocol: routeProtocol}
		if err := netlink.RouteReplace(route); err != nil {
			return fmt.Errorf("adding the route to %s through %s: %w", cidr, gateway, err)
		}
	}
	return nil
}
