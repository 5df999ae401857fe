package config

import "time"

// defaulter is a section that is not empty when nothing is given.
type defaulter interface{ setDefaults() }

func (c *Config) setDefaults() {
	c.Listen = "127.0.0.1:8484"
	c.Database.URL = "sqlite://data/hookarr.db"
	c.Plugins = Plugins{Dir: []string{"bin/plugins"}, Lock: "plugins.lock"}
	c.Log = Log{Level: "info", Format: "text"}
	c.Shutdown.Drain = 30 * time.Second
	c.Reload.Watch = true
	c.Limits.Bodies = 64 * MiB
	c.Retention = Retention{Events: 30 * 24 * time.Hour, DeadLetters: 90 * 24 * time.Hour}
}

func (p *Plugin) setDefaults() { p.Sandbox = SandboxAuto }

func (f *ForwardAuth) setDefaults() { f.Role = RoleView }

func (o *OIDC) setDefaults() {
	o.Scopes = []string{"openid", "profile", "email"}
	o.UsernameClaim, o.GroupsClaim = "preferred_username", "groups"
}

func (s *Source) setDefaults() {
	s.Catchup = Catchup{
		Enabled:  true,
		Interval: 15 * time.Minute,
		Lag:      2 * time.Minute,
		Overlap:  10 * time.Minute,
		MaxAge:   7 * 24 * time.Hour,
	}
	s.Snapshot = Snapshot{Every: 24 * time.Hour, Lag: time.Minute}
}

func (t *Target) setDefaults() {
	t.Timeout = 30 * time.Second
	t.Edit = true
	t.Retry = Retry{
		Initial:     5 * time.Second,
		Multiplier:  3,
		MaxInterval: 6 * time.Hour,
		MaxAge:      7 * 24 * time.Hour,
	}
}

func (r *Rate) setDefaults() { r.Burst = 1 }

func (q *Quiet) setDefaults() { q.Then = ThenDigest }

func (d *Digest) setDefaults() { d.Every = Daily }

func (h *HMAC) setDefaults() { h.Tolerance = 5 * time.Minute }
