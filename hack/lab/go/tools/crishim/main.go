// Command crishim stands in for image-cri-shim: a CRI image service in front of containerd's that finds
// an image in the cluster's registry first, whatever registry its name says.
//
//	crishim -f /etc/image-cri-shim.yaml     (keys: shim, cri, address, force, debug, timeout, auth)
package main

import (
	"flag"
	"log"
	"net"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"sealcluster.io/hack/lab/tools/internal/pairs"
)

func main() {
	file := flag.String("f", "/etc/image-cri-shim.yaml", "configuration file")
	flag.Parse()
	config, err := pairs.Read(*file)
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(config); err != nil {
		log.Fatal(err)
	}
}

func serve(config pairs.Pairs) error {
	socket := strings.TrimPrefix(config["shim"], "unix://")
	if err := os.RemoveAll(socket); err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	if err := os.Chmod(socket, 0o660); err != nil {
		return err
	}
	backend, err := grpc.NewClient("unix://"+strings.TrimPrefix(config["cri"], "unix://"),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority("localhost"),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	cri.RegisterImageServiceServer(server, &shim{
		backend:  cri.NewImageServiceClient(backend),
		registry: newRegistry(config["address"], config["auth"]),
	})
	log.Printf("image service on %s in front of %s, registry %s", socket, config["cri"], config["address"])
	return server.Serve(listener)
}
