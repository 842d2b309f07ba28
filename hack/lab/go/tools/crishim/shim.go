package main

import (
	"context"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// shim passes every call on; names of images that the cluster's registry holds are replaced on the way.
type shim struct {
	cri.UnimplementedImageServiceServer
	backend  cri.ImageServiceClient
	registry *registry
}

func (s *shim) ListImages(ctx context.Context, in *cri.ListImagesRequest) (*cri.ListImagesResponse, error) {
	return s.backend.ListImages(ctx, in)
}

func (s *shim) ImageStatus(ctx context.Context, in *cri.ImageStatusRequest) (*cri.ImageStatusResponse, error) {
	in.Image, _ = s.replace(ctx, in.Image)
	return s.backend.ImageStatus(ctx, in)
}

func (s *shim) PullImage(ctx context.Context, in *cri.PullImageRequest) (*cri.PullImageResponse, error) {
	image, replaced := s.replace(ctx, in.Image)
	in.Image = image
	if replaced {
		in.Auth = s.registry.auth()
	}
	return s.backend.PullImage(ctx, in)
}

func (s *shim) RemoveImage(ctx context.Context, in *cri.RemoveImageRequest) (*cri.RemoveImageResponse, error) {
	in.Image, _ = s.replace(ctx, in.Image)
	return s.backend.RemoveImage(ctx, in)
}

func (s *shim) ImageFsInfo(ctx context.Context, in *cri.ImageFsInfoRequest) (*cri.ImageFsInfoResponse, error) {
	return s.backend.ImageFsInfo(ctx, in)
}

func (s *shim) replace(ctx context.Context, image *cri.ImageSpec) (*cri.ImageSpec, bool) {
	if image == nil {
		return image, false
	}
	name, found := s.registry.find(ctx, image.Image)
	if !found {
		return image, false
	}
	return &cri.ImageSpec{Image: name, UserSpecifiedImage: image.UserSpecifiedImage, Annotations: image.Annotations}, true
}
