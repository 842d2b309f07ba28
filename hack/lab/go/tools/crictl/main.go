// Command crictl is a stand-in for the tool of that name (its module is not on the proxy): the
// sub-commands, flags and JSON field names that installers use, on the CRI v1 API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"sealcluster.io/hack/lab/tools/internal/pairs"
)

const (
	version       = "v1.34.0-lab"
	maxMessage    = 64 << 20
	defaultSocket = "unix:///run/containerd/containerd.sock"
)

// session is what every sub-command works with.
type session struct {
	runtime cri.RuntimeServiceClient
	images  cri.ImageServiceClient
	timeout time.Duration
}

// command runs one sub-command with the arguments after its name.
type command func(ctx context.Context, s *session, args []string) error

var commands = map[string]command{
	"pull": pull, "images": listImages, "image": listImages, "img": listImages, "inspecti": inspectImage,
	"rmi": removeImages, "pods": listPods, "inspectp": inspectPod, "stopp": stopPods, "rmp": removePods,
	"ps": listContainers, "inspect": inspectContainer, "stop": stopContainers, "rm": removeContainers,
	"exec": execInContainer, "logs": logs, "info": info, "version": showVersion, "imagefsinfo": imageFsInfo,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		var exit exitCode
		if errors.As(err, &exit) {
			os.Exit(int(exit))
		}
		fmt.Fprintf(os.Stderr, "FATA[0000] %v\n", err)
		os.Exit(1)
	}
}

// exitCode is the exit code of a command run in a container.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func run(args []string) error {
	flags := flag.NewFlagSet("crictl", flag.ContinueOnError)
	var runtimeEndpoint, imageEndpoint, configFile string
	var timeout time.Duration
	var debug, showHelp bool
	stringFlag(flags, &runtimeEndpoint, os.Getenv("CONTAINER_RUNTIME_ENDPOINT"), "runtime-endpoint", "r")
	stringFlag(flags, &imageEndpoint, os.Getenv("IMAGE_SERVICE_ENDPOINT"), "image-endpoint", "i")
	stringFlag(flags, &configFile, "/etc/crictl.yaml", "config", "c")
	flags.DurationVar(&timeout, "timeout", 0, "timeout of a call")
	flags.DurationVar(&timeout, "t", 0, "timeout of a call")
	boolFlag(flags, &debug, "debug", "D")
	boolFlag(flags, &showHelp, "version", "v")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if showHelp {
		fmt.Println("crictl version " + version)
		return nil
	}
	if flags.NArg() == 0 {
		return errors.New("no command given")
	}
	do, known := commands[flags.Arg(0)]
	if !known {
		return fmt.Errorf("unknown command %q for \"crictl\"", flags.Arg(0))
	}
	config, err := pairs.Read(configFile)
	if err != nil {
		return err
	}
	runtimeEndpoint = first(runtimeEndpoint, config["runtime-endpoint"], defaultSocket)
	imageEndpoint = first(imageEndpoint, config["image-endpoint"], runtimeEndpoint)
	if timeout == 0 {
		timeout = config.Seconds("timeout", 10*time.Second)
	}
	s, err := connect(runtimeEndpoint, imageEndpoint, timeout)
	if err != nil {
		return err
	}
	return do(context.Background(), s, flags.Args()[1:])
}

func connect(runtimeEndpoint, imageEndpoint string, timeout time.Duration) (*session, error) {
	runtimeConn, err := dial(runtimeEndpoint)
	if err != nil {
		return nil, err
	}
	imageConn := runtimeConn
	if imageEndpoint != runtimeEndpoint {
		if imageConn, err = dial(imageEndpoint); err != nil {
			return nil, err
		}
	}
	return &session{
		runtime: cri.NewRuntimeServiceClient(runtimeConn),
		images:  cri.NewImageServiceClient(imageConn),
		timeout: timeout,
	}, nil
}

func dial(endpoint string) (*grpc.ClientConn, error) {
	if !strings.Contains(endpoint, "://") {
		endpoint = "unix://" + endpoint
	}
	connection, err := grpc.NewClient(endpoint,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithAuthority("localhost"),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("connect endpoint '%s': %w", endpoint, err)
	}
	return connection, nil
}

// short limits a quick call; pulls and execs take as long as they take.
func (s *session) short(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout)
}
