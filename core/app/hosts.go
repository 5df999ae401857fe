package app

import (
	"net"
	"net/url"
	"os"
	"slices"

	"github.com/hookarr/hookarr/core/config"
)

// ownHosts are the names by which senders may reach this process, besides those that need
// no mention: what is configured, and what the machine calls itself.
func ownHosts(c *config.Config) []string {
	hosts := slices.Clone(c.Hosts)
	if host, _, err := net.SplitHostPort(c.Listen); err == nil {
		hosts = append(hosts, host)
	}
	if u, err := url.Parse(c.ExternalURL); err == nil && u.Hostname() != "" {
		hosts = append(hosts, u.Hostname())
	}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	return hosts
}
