"""The census: runs a network on real samples and counts its operations -> Workload."""
