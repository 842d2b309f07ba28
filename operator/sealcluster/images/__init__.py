"""Cluster images: registries and archives behind one content store, unpacked into parts that are addressed by digest."""
