package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"regexp"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func listPods(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("pods", flag.ContinueOnError)
	var format, id, name, namespace, state string
	var quiet, noTrunc bool
	selector := labels{}
	stringFlag(flags, &format, "table", "output", "o")
	stringFlag(flags, &id, "", "id")
	stringFlag(flags, &name, "", "name")
	stringFlag(flags, &namespace, "", "namespace")
	stringFlag(flags, &state, "", "state", "s")
	boolFlag(flags, &quiet, "quiet", "q")
	boolFlag(flags, &noTrunc, "no-trunc")
	flags.Var(selector, "label", "")
	if _, err := parse(flags, args); err != nil {
		return err
	}
	if err := checkFormat(format, "table", "json"); err != nil {
		return err
	}
	filter := &cri.PodSandboxFilter{Id: id, LabelSelector: selector}
	switch state {
	case "Ready", "ready":
		filter.State = &cri.PodSandboxStateValue{State: cri.PodSandboxState_SANDBOX_READY}
	case "NotReady", "notready":
		filter.State = &cri.PodSandboxStateValue{State: cri.PodSandboxState_SANDBOX_NOTREADY}
	}
	found, err := sandboxes(ctx, s, filter, name, namespace)
	if err != nil {
		return err
	}
	if format == "json" {
		return printJSON(&cri.ListPodSandboxResponse{Items: found})
	}
	var rows [][]string
	for _, pod := range found {
		if quiet {
			fmt.Println(pod.Id)
			continue
		}
		state := "NotReady"
		if pod.State == cri.PodSandboxState_SANDBOX_READY {
			state = "Ready"
		}
		rows = append(rows, []string{short(pod.Id), age(pod.CreatedAt), state, pod.Metadata.Name, pod.Metadata.Namespace})
	}
	if quiet {
		return nil
	}
	return table([]string{"POD ID", "CREATED", "STATE", "NAME", "NAMESPACE"}, rows)
}

// sandboxes lists pods; name and namespace are regular expressions, as in the real tool.
func sandboxes(ctx context.Context, s *session, filter *cri.PodSandboxFilter, name, namespace string) ([]*cri.PodSandbox, error) {
	ctx, cancel := s.short(ctx)
	defer cancel()
	response, err := s.runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{Filter: filter})
	if err != nil {
		return nil, fmt.Errorf("listing pod sandboxes: %w", err)
	}
	matchName, err := regexp.Compile(name)
	if err != nil {
		return nil, err
	}
	matchNamespace, err := regexp.Compile(namespace)
	if err != nil {
		return nil, err
	}
	found := []*cri.PodSandbox{}
	for _, pod := range response.Items {
		if matchName.MatchString(pod.Metadata.Name) && matchNamespace.MatchString(pod.Metadata.Namespace) {
			found = append(found, pod)
		}
	}
	return found, nil
}

func inspectPod(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("inspectp", flag.ContinueOnError)
	var format string
	stringFlag(flags, &format, "json", "output", "o")
	ids, err := parse(flags, args)
	if err != nil {
		return err
	}
	ctx, cancel := s.short(ctx)
	defer cancel()
	for _, id := range ids {
		response, err := s.runtime.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: id})
		if err != nil {
			return fmt.Errorf("getting the pod sandbox status for %q: %w", id, err)
		}
		if err := printJSON(response); err != nil {
			return err
		}
	}
	return nil
}

func stopPods(ctx context.Context, s *session, args []string) error {
	ids, err := parse(flag.NewFlagSet("stopp", flag.ContinueOnError), args)
	if err != nil {
		return err
	}
	return each(ids, "Stopped sandbox %s\n", func(id string) error {
		_, err := s.runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: id})
		return err
	})
}

func removePods(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("rmp", flag.ContinueOnError)
	var force, all bool
	boolFlag(flags, &force, "force", "f")
	boolFlag(flags, &all, "all", "a")
	ids, err := parse(flags, args)
	if err != nil {
		return err
	}
	if all {
		found, err := sandboxes(ctx, s, nil, "", "")
		if err != nil {
			return err
		}
		for _, pod := range found {
			ids = append(ids, pod.Id)
		}
	}
	return each(ids, "Removed sandbox %s\n", func(id string) error {
		if force {
			if _, err := s.runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: id}); err != nil {
				return err
			}
		}
		_, err := s.runtime.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id})
		return err
	})
}

// each does one thing for every id and goes on after a failure, which is told at the end.
func each(ids []string, done string, do func(id string) error) error {
	if len(ids) == 0 {
		return errors.New("ID cannot be empty")
	}
	var failures []error
	for _, id := range ids {
		if err := do(id); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", id, err))
			continue
		}
		fmt.Printf(done, id)
	}
	return errors.Join(failures...)
}
