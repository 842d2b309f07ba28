package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var states = map[string]cri.ContainerState{
	"created": cri.ContainerState_CONTAINER_CREATED,
	"running": cri.ContainerState_CONTAINER_RUNNING,
	"exited":  cri.ContainerState_CONTAINER_EXITED,
	"unknown": cri.ContainerState_CONTAINER_UNKNOWN,
}

func listContainers(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("ps", flag.ContinueOnError)
	var format, id, name, pod, state, image string
	var all, quiet, noTrunc bool
	selector := labels{}
	stringFlag(flags, &format, "table", "output", "o")
	stringFlag(flags, &id, "", "id")
	stringFlag(flags, &name, "", "name")
	stringFlag(flags, &pod, "", "pod", "p")
	stringFlag(flags, &state, "", "state", "s")
	stringFlag(flags, &image, "", "image")
	boolFlag(flags, &all, "all", "a")
	boolFlag(flags, &quiet, "quiet", "q")
	boolFlag(flags, &noTrunc, "no-trunc")
	flags.Var(selector, "label", "")
	if _, err := parse(flags, args); err != nil {
		return err
	}
	if err := checkFormat(format, "table", "json"); err != nil {
		return err
	}
	filter := &cri.ContainerFilter{Id: id, PodSandboxId: pod, LabelSelector: selector}
	if wanted, known := states[strings.ToLower(state)]; known {
		filter.State = &cri.ContainerStateValue{State: wanted}
	} else if state != "" {
		return fmt.Errorf("state %q is not one of Created, Running, Exited, Unknown", state)
	} else if !all {
		filter.State = &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}
	}
	found, err := containers(ctx, s, filter, name, image)
	if err != nil {
		return err
	}
	if format == "json" {
		return printJSON(&cri.ListContainersResponse{Containers: found})
	}
	var rows [][]string
	for _, item := range found {
		if quiet {
			fmt.Println(item.Id)
			continue
		}
		state := strings.TrimPrefix(item.State.String(), "CONTAINER_")
		state = state[:1] + strings.ToLower(state[1:])
		rows = append(rows, []string{
			short(item.Id), short(item.Image.GetImage()), age(item.CreatedAt), state, item.Metadata.Name,
			fmt.Sprint(item.Metadata.Attempt), short(item.PodSandboxId), item.Labels["io.kubernetes.pod.name"],
		})
	}
	if quiet {
		return nil
	}
	return table([]string{"CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD"}, rows)
}

func containers(ctx context.Context, s *session, filter *cri.ContainerFilter, name, image string) ([]*cri.Container, error) {
	ctx, cancel := s.short(ctx)
	defer cancel()
	response, err := s.runtime.ListContainers(ctx, &cri.ListContainersRequest{Filter: filter})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", err)
	}
	match, err := regexp.Compile(name)
	if err != nil {
		return nil, err
	}
	found := []*cri.Container{}
	for _, item := range response.Containers {
		isImage := image == "" || strings.Contains(item.Image.GetImage(), image) || strings.Contains(item.ImageRef, image)
		if isImage && match.MatchString(item.Metadata.Name) {
			found = append(found, item)
		}
	}
	return found, nil
}

func inspectContainer(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("inspect", flag.ContinueOnError)
	var format string
	stringFlag(flags, &format, "json", "output", "o")
	ids, err := parse(flags, args)
	if err != nil {
		return err
	}
	ctx, cancel := s.short(ctx)
	defer cancel()
	for _, id := range ids {
		response, err := s.runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id})
		if err != nil {
			return fmt.Errorf("getting the status of the container %q: %w", id, err)
		}
		if err := printJSON(response); err != nil {
			return err
		}
	}
	return nil
}

func stopContainers(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("stop", flag.ContinueOnError)
	var timeout int64
	flags.Int64Var(&timeout, "timeout", 0, "seconds before the kill")
	flags.Int64Var(&timeout, "t", 0, "seconds before the kill")
	ids, err := parse(flags, args)
	if err != nil {
		return err
	}
	return each(ids, "%s\n", func(id string) error {
		_, err := s.runtime.StopContainer(ctx, &cri.StopContainerRequest{ContainerId: id, Timeout: timeout})
		return err
	})
}

func removeContainers(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("rm", flag.ContinueOnError)
	var force, all bool
	boolFlag(flags, &force, "force", "f")
	boolFlag(flags, &all, "all", "a")
	ids, err := parse(flags, args)
	if err != nil {
		return err
	}
	if all {
		found, err := containers(ctx, s, nil, "", "")
		if err != nil {
			return err
		}
		for _, item := range found {
			ids = append(ids, item.Id)
		}
	}
	return each(ids, "%s\n", func(id string) error {
		if force {
			if _, err := s.runtime.StopContainer(ctx, &cri.StopContainerRequest{ContainerId: id}); err != nil {
				return err
			}
		}
		_, err := s.runtime.RemoveContainer(ctx, &cri.RemoveContainerRequest{ContainerId: id})
		return err
	})
}

// execInContainer always runs synchronously: the output comes at the end, the exit code is passed on.
func execInContainer(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("exec", flag.ContinueOnError)
	var sync, interactive, tty bool
	var timeout int64
	boolFlag(flags, &sync, "sync", "s")
	boolFlag(flags, &interactive, "interactive", "i")
	boolFlag(flags, &tty, "tty", "t")
	flags.Int64Var(&timeout, "timeout", 0, "seconds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if interactive || tty {
		return errors.New("exec -i and -t are not in this stand-in")
	}
	if flags.NArg() < 2 {
		return errors.New("exec wants a container ID and a command")
	}
	response, err := s.runtime.ExecSync(ctx, &cri.ExecSyncRequest{
		ContainerId: flags.Arg(0), Cmd: flags.Args()[1:], Timeout: timeout,
	})
	if err != nil {
		return fmt.Errorf("execing command in container: %w", err)
	}
	os.Stdout.Write(response.Stdout)
	os.Stderr.Write(response.Stderr)
	if response.ExitCode != 0 {
		return exitCode(response.ExitCode)
	}
	return nil
}

// logs prints what the kubelet's log file of a container holds, without following it.
func logs(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("logs", flag.ContinueOnError)
	var tail int
	var previous bool
	flags.IntVar(&tail, "tail", -1, "lines from the end")
	boolFlag(flags, &previous, "previous", "p")
	ids, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return errors.New("logs wants one container ID")
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	status, err := s.runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: ids[0]})
	if err != nil {
		return fmt.Errorf("getting the status of the container %q: %w", ids[0], err)
	}
	file, err := os.Open(status.Status.LogPath)
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	defer file.Close()
	var lines []string
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, maxMessage)
	for scanner.Scan() {
		// TIME STREAM TAG TEXT
		if parts := strings.SplitN(scanner.Text(), " ", 4); len(parts) == 4 {
			lines = append(lines, parts[3])
		}
	}
	if tail >= 0 && len(lines) > tail {
		lines = lines[len(lines)-tail:]
	}
	for _, line := range lines {
		fmt.Println(line)
	}
	return scanner.Err()
}

func info(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("info", flag.ContinueOnError)
	var format string
	stringFlag(flags, &format, "json", "output", "o")
	if _, err := parse(flags, args); err != nil {
		return err
	}
	ctx, cancel := s.short(ctx)
	defer cancel()
	response, err := s.runtime.Status(ctx, &cri.StatusRequest{})
	if err != nil {
		return fmt.Errorf("getting status of runtime: %w", err)
	}
	return printJSON(response)
}

func showVersion(ctx context.Context, s *session, _ []string) error {
	ctx, cancel := s.short(ctx)
	defer cancel()
	response, err := s.runtime.Version(ctx, &cri.VersionRequest{Version: "v1"})
	if err != nil {
		return fmt.Errorf("getting the runtime version: %w", err)
	}
	fmt.Printf("Version:  %s\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  %s\n",
		response.Version, response.RuntimeName, response.RuntimeVersion, response.RuntimeApiVersion)
	return nil
}
