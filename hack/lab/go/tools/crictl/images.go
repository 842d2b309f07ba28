package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func pull(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("pull", flag.ContinueOnError)
	var creds, auth string
	stringFlag(flags, &creds, "", "creds")
	stringFlag(flags, &auth, "", "auth")
	names, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return errors.New("image name cannot be empty")
	}
	var config *cri.AuthConfig
	if creds != "" {
		user, password, isPair := strings.Cut(creds, ":")
		if !isPair {
			return errors.New("--creds wants USER:PASSWORD")
		}
		config = &cri.AuthConfig{Username: user, Password: password}
	} else if auth != "" {
		config = &cri.AuthConfig{Auth: auth}
	}
	for _, name := range names {
		request := &cri.PullImageRequest{Image: &cri.ImageSpec{Image: name}, Auth: config}
		response, err := s.images.PullImage(ctx, request)
		if err != nil {
			return fmt.Errorf("pulling image: %w", err)
		}
		fmt.Printf("Image is up to date for %s\n", response.ImageRef)
	}
	return nil
}

func listImages(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	var format string
	var quiet, digests, noTrunc bool
	stringFlag(flags, &format, "table", "output", "o")
	boolFlag(flags, &quiet, "quiet", "q")
	boolFlag(flags, &digests, "digests")
	boolFlag(flags, &noTrunc, "no-trunc")
	names, err := parse(flags, args)
	if err != nil {
		return err
	}
	if err := checkFormat(format, "table", "json"); err != nil {
		return err
	}
	request := &cri.ListImagesRequest{}
	if len(names) > 0 {
		request.Filter = &cri.ImageFilter{Image: &cri.ImageSpec{Image: names[0]}}
	}
	ctx, cancel := s.short(ctx)
	defer cancel()
	response, err := s.images.ListImages(ctx, request)
	if err != nil {
		return fmt.Errorf("listing images: %w", err)
	}
	if format == "json" {
		return printJSON(response)
	}
	if quiet {
		for _, image := range response.Images {
			fmt.Println(image.Id)
		}
		return nil
	}
	var rows [][]string
	for _, image := range response.Images {
		tags := image.RepoTags
		if len(tags) == 0 {
			tags = []string{"<none>:<none>"}
		}
		for _, tag := range tags {
			cut := strings.LastIndex(tag, ":")
			size := fmt.Sprintf("%.1fMB", float64(image.Size)/1e6)
			rows = append(rows, []string{tag[:cut], tag[cut+1:], short(image.Id), size})
		}
	}
	return table([]string{"IMAGE", "TAG", "IMAGE ID", "SIZE"}, rows)
}

func inspectImage(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("inspecti", flag.ContinueOnError)
	var format string
	var quiet bool
	stringFlag(flags, &format, "json", "output", "o")
	boolFlag(flags, &quiet, "quiet", "q")
	names, err := parse(flags, args)
	if err != nil {
		return err
	}
	if err := checkFormat(format, "json"); err != nil {
		return err
	}
	ctx, cancel := s.short(ctx)
	defer cancel()
	for _, name := range names {
		request := &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}}
		response, err := s.images.ImageStatus(ctx, request)
		if err != nil {
			return fmt.Errorf("image status for %q request: %w", name, err)
		}
		if response.Image == nil {
			return fmt.Errorf("no such image %q present", name)
		}
		if err := printNamed("status", response.Image); err != nil {
			return err
		}
	}
	return nil
}

func removeImages(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("rmi", flag.ContinueOnError)
	var all, prune bool
	boolFlag(flags, &all, "all", "a")
	boolFlag(flags, &prune, "prune", "q")
	names, err := parse(flags, args)
	if err != nil {
		return err
	}
	if all || prune {
		if names, err = removable(ctx, s, prune); err != nil {
			return err
		}
	}
	failed := 0
	for _, name := range names {
		request := &cri.RemoveImageRequest{Image: &cri.ImageSpec{Image: name}}
		if _, err := s.images.RemoveImage(ctx, request); err != nil {
			fmt.Printf("error of removing image %q: %v\n", name, err)
			failed++
			continue
		}
		fmt.Printf("Deleted: %s\n", name)
	}
	if failed > 0 {
		return errors.New("unable to remove the image(s)")
	}
	return nil
}

// removable lists the ids of all images, or of those that no container uses.
func removable(ctx context.Context, s *session, unusedOnly bool) ([]string, error) {
	listed, err := s.images.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return nil, fmt.Errorf("listing images: %w", err)
	}
	used := map[string]bool{}
	if unusedOnly {
		containers, err := s.runtime.ListContainers(ctx, &cri.ListContainersRequest{})
		if err != nil {
			return nil, fmt.Errorf("listing containers: %w", err)
		}
		for _, container := range containers.Containers {
			used[container.ImageRef] = true
			used[container.Image.GetImage()] = true
		}
	}
	var ids []string
	for _, image := range listed.Images {
		if !used[image.Id] && !(unusedOnly && image.Pinned) {
			ids = append(ids, image.Id)
		}
	}
	return ids, nil
}

func imageFsInfo(ctx context.Context, s *session, _ []string) error {
	ctx, cancel := s.short(ctx)
	defer cancel()
	response, err := s.images.ImageFsInfo(ctx, &cri.ImageFsInfoRequest{})
	if err != nil {
		return fmt.Errorf("image filesystem info request: %w", err)
	}
	return printJSON(response)
}
