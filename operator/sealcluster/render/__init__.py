"""From values to text: kubeadm documents, kubeconfigs, static pods, Clusterfiles, and the templates of images. Pure."""
