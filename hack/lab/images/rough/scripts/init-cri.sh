#!/usr/bin/env bash
# init-cri.sh DOMAIN PORT
. ./common.sh

bash init-containerd.sh "$1" "$2"
