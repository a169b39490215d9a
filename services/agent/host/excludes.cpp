#include "services/agent/host/excludes.hpp"

#include <algorithm>

#include <fnmatch.h>

namespace vigia::agent::host {

/// Below the folders of container runtimes and of the kubelet, not these folders themselves: a disk
/// of their own that is mounted there is the host's.
std::vector<std::string> HostExcludes::default_mounts() {
  return {"/var/lib/docker/*",
          "/var/lib/containerd/*",
          "/var/lib/containers/*",
          "/var/lib/kubelet/*",
          "/var/lib/rancher/*/agent/*",
          "/var/lib/lxc/*",
          "/var/lib/lxd/*",
          "/var/lib/incus/*",
          "/var/snap/docker/*",
          "/var/snap/microk8s/common/*",
          "/home/*/.local/share/docker/*",
          "/home/*/.local/share/containers/*",
          "/run/containerd/*",
          "/run/containers/*",
          "/run/credentials/*",
          "/run/crio/*",
          "/run/docker/*",
          "/run/k3s/*",
          "/run/netns/*",
          "/run/user/*/containers/*"};
}

/// One end of a container's or virtual machine's cable, and the bridges that their networks make.
std::vector<std::string> HostExcludes::default_interfaces() {
  return {"veth*",   "cali*",    "lxc*",         "cilium_*", "cni*",     "flannel*",
          "tunl*",   "vxlan.*",  "kube-*",       "docker*",  "br-*",     "podman*",
          "lxdbr*",  "incusbr*", "virbr*",       "vnet*",    "tap*i*",   "fwbr*i*",
          "fwpr*p*", "fwln*i*",  "nodelocaldns", "weave",    "vethwe-*", "datapath"};
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  const std::string whole(text);
  return std::any_of(patterns.begin(), patterns.end(), [&whole](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), whole.c_str(), 0) == 0;
  });
}

}  // namespace vigia::agent::host
