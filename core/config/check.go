package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// maxConcurrency is the most workers that the queue runs.
const maxConcurrency = 10_000

// maxPerSecond is more than any target takes in, and leaves each attempt a time of
// its own.
const maxPerSecond = 10_000

// minSnapshot is the least time between two readings of a whole library.
const minSnapshot = 5 * time.Minute

// maxSnapshotLag is shorter than the job that waits for it may take.
const maxSnapshotLag = 10 * time.Minute

// minBodies is three bodies of 16 MiB, with their heads: one that was sent compressed, and
// two while its other form grows.
const minBodies = 50 * MiB

// checker finds what is wrong with decoded settings.
type checker struct {
	*Config
	*decoder
	// broken is what could not be decoded.
	broken []Problem
}

// problem tells of a value, unless it, what holds it or a part of it is missing only
// because it could not be decoded.
func (k checker) problem(key, format string, args ...any) {
	if !k.isBroken(key) {
		k.decoder.problem(key, format, args...)
	}
}

func (k checker) isBroken(key string) bool {
	return slices.ContainsFunc(k.broken, func(p Problem) bool { return p.Covers(key) })
}

func check(c *Config, d *decoder) {
	k := checker{Config: c, decoder: d, broken: d.problems}
	k.process()
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if name == sdk.SourceHookarr {
			k.problem("sources."+name, "is the name of the built-in source: choose another")
		}
		k.source("sources."+name, name, c.Sources[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		k.target("targets."+name, name, c.Targets[name])
	}
	k.routes()
}

func (k checker) process() {
	k.address("listen", k.Listen)
	for i, host := range k.Hosts {
		if host == "" || strings.ContainsAny(host, "/:@?*[] ") {
			k.problem(fmt.Sprintf("hosts[%d]", i), "want a name alone, such as hookarr.example.com")
		}
	}
	k.admin(k.Admin)
	if k.ExternalURL != "" {
		k.externalURL()
	}
	for i, network := range k.TrustedProxies {
		if network.Bits() == 0 {
			k.warn(fmt.Sprintf("trusted_proxies[%d]", i), "every sender can claim any address by X-Forwarded-For, and allow_from keeps nobody out: name the addresses of your proxies")
		}
	}
	k.exposed()
	if (k.TLS.CertFile == "") != (k.TLS.KeyFile == "") {
		k.problem("tls", "give both cert_file and key_file, or neither")
	}
	k.database()
	if len(k.Plugins.Dir) == 0 || slices.Contains(k.Plugins.Dir, "") {
		k.problem("plugins.dir", "give the directory of the plugin binaries")
	}
	k.plugins(runtime.GOOS)
	k.oneOf("log.level", k.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", k.Log.Format, "text", "json")
	if k.Shutdown.Drain < 0 {
		k.problem("shutdown.drain", "want 0s or more")
	}
	if k.Limits.Bodies < minBodies {
		k.problem("limits.bodies", "want %s or more, which one body of 16MiB may take while it is unpacked", minBodies)
	}
	k.tracing(k.Tracing)
	k.positive("retention.events", k.Retention.Events)
	k.positive("retention.dead_letters", k.Retention.DeadLetters)
}

// database never repeats the URL: it may hold a password.
func (k checker) database() {
	const want = "want sqlite://PATH, such as sqlite://./data/hookarr.db, or postgres://USER:PASS@HOST/DATABASE" //nolint:gosec // a pattern, no credentials
	scheme, rest, ok := strings.Cut(k.Database.URL.Reveal(), "://")
	switch {
	case ok && rest != "" && scheme == "sqlite":
	case ok && rest != "" && (scheme == "postgres" || scheme == "postgresql"):
		if _, err := url.Parse(k.Database.URL.Reveal()); err != nil {
			k.problem("database.url", "%s; percent-encode signs such as @, : and / in the password", want)
		}
	default:
		k.problem("database.url", want)
	}
}

func (k checker) address(key, address string) {
	_, port, err := net.SplitHostPort(address)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
		k.problem(key, "want HOST:PORT, such as 127.0.0.1:8484, or :8484 for every address")
	}
}

// sameAddress reports whether two listeners would take the same port.
func sameAddress(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || isWildcard(hostA) || isWildcard(hostB)
}

func isWildcard(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// externalURL wants what /hooks/NAME can be put behind.
func (k checker) externalURL() {
	u, err := url.Parse(k.ExternalURL)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		k.problem("external_url", "want http://HOST:PORT or https://HOST, where the applications reach this server, such as http://hookarr:8484")
	case strings.Contains(u.Path+"/", "/hooks/"):
		k.problem("external_url", "leave out /hooks/ and what follows: every source's path is put behind it")
	}
}

// exposed warns of a file that all can read and that holds a secret itself.
func (k checker) exposed() {
	if info, err := os.Stat(k.File); err == nil && k.literal != "" && info.Mode().Perm()&worldReadable != 0 {
		k.warnings = append(k.warnings, Problem{File: k.File, Message: fmt.Sprintf("it holds secrets, such as %s, and %s", k.literal, exposed(k.File))})
	}
}

func (k checker) oneOf(key, value string, known ...string) {
	if last := len(known) - 1; !slices.Contains(known, value) {
		k.problem(key, "want %s or %s%s", strings.Join(known[:last], ", "), known[last], Suggest(value, known))
	}
}

func (k checker) positive(key string, d time.Duration) {
	if d <= 0 {
		k.problem(key, "want more than 0s")
	}
}

func (k checker) name(key, name string) {
	if name == "" {
		k.problem(key, "give a name")
	} else if !NamePattern.MatchString(name) {
		k.problem(key, "%q is no name: want at most 40 of a-z, 0-9 and -, not beginning with -", name)
	}
}

// queued checks the name of what has a queue of its own.
func (k checker) queued(key, name string) {
	k.name(key, name)
	if NamePattern.MatchString(name) && !queuePattern.MatchString(name) {
		k.problem(key, "%q cannot name a queue: each - needs a letter or digit on both sides, such as %s", name, dashed(name))
	}
}

// dashed is the name with single dashes inside alone.
func dashed(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '-' }), "-")
}

func (k checker) plugin(key, kind, plugin string) {
	name, isBinary := strings.CutPrefix(plugin, "hookarr-"+kind+"-")
	switch {
	case isBinary:
		k.problem(key, "want the name alone: %s", name)
	case plugin == "":
		k.problem(key, "give the name of a plugin")
	case !NamePattern.MatchString(plugin):
		k.problem(key, "want the NAME of the binary hookarr-%s-NAME", kind)
	}
}

func (k checker) source(key, name string, s Source) {
	k.queued(key, name)
	k.plugin(key+".plugin", "source", s.Plugin)
	k.catchup(key+".catchup", s.Catchup)
	if every := s.Snapshot.Every; every != 0 && every < minSnapshot {
		k.problem(key+".snapshot.every", "want at least %s, since each reads the whole library, or 0s for only when hookarr sync asks", minSnapshot)
	}
	if lag := s.Snapshot.Lag; lag < 0 || lag > maxSnapshotLag {
		k.problem(key+".snapshot.lag", "want 0s to %s", maxSnapshotLag)
	}
	if w := s.Dedup.Window; w != nil && *w < 0 {
		k.problem(key+".dedup.window", "want how long what comes again is a repetition, such as 10m, or 0s for never")
	}
	if len(s.Auth) == 0 {
		k.problem(key+".auth", "say who may post: hmac, basic, header or token; auth: [{none: {}}] lets everybody in")
	}
	for i, a := range s.Auth {
		k.auth(fmt.Sprintf("%s.auth[%d]", key, i), a)
	}
	if i := slices.IndexFunc(s.Auth, func(a Auth) bool { return a.None != nil }); i >= 0 && len(s.Auth) > 1 {
		k.problem(fmt.Sprintf("%s.auth[%d].none", key, i), "lets everybody in, so that the other entries mean nothing: remove it or them")
	}
}

func (k checker) catchup(key string, c Catchup) {
	k.positive(key+".interval", c.Interval)
	k.positive(key+".overlap", c.Overlap)
	k.positive(key+".max_age", c.MaxAge)
	if c.Lag < 0 {
		k.problem(key+".lag", "want 0s or more")
	}
	if c.Since < 0 {
		k.problem(key+".since", "want 0s or more")
	}
}

func (k checker) target(key, name string, t Target) {
	k.queued(key, name)
	k.plugin(key+".plugin", "target", t.Plugin)
	k.positive(key+".timeout", t.Timeout)
	if t.Concurrency < 0 || t.Concurrency > maxConcurrency {
		k.problem(key+".concurrency", "want 1 to %d, or 0 for the plugin's own", maxConcurrency)
	}
	k.retry(key+".retry", t.Retry)
	if t.Rate != nil {
		k.rate(key+".rate", *t.Rate)
	}
	if t.Group != nil {
		k.group(key+".group", *t.Group)
	}
	if t.Quiet != nil {
		k.quiet(key+".quiet", *t.Quiet)
	}
	if t.DigestAfter < 0 {
		k.problem(key+".digest_after", "want how long a hold lasts after which what waited goes out as one digest, such as 1h, or 0s for never")
	}
	if !k.isBroken("routes") && !slices.ContainsFunc(k.Routes, func(r Route) bool { return slices.Contains(r.To, name) }) {
		k.warn(key, "no route leads here")
	}
}

func (k checker) retry(key string, r Retry) {
	if len(r.Schedule) > 0 {
		for _, other := range []string{"initial", "multiplier", "max_interval"} {
			if k.given[key+"."+other] {
				k.problem(key+"."+other, "schedule stands for this: remove one of them")
			}
		}
		for i, pause := range r.Schedule {
			k.positive(fmt.Sprintf("%s.schedule[%d]", key, i), pause)
		}
	} else {
		k.positive(key+".initial", r.Initial)
		if r.Multiplier < 1 {
			k.problem(key+".multiplier", "want 1 or more")
		}
		if r.MaxInterval < r.Initial {
			k.problem(key+".max_interval", "want at least initial, which is %s", r.Initial)
		}
	}
	if r.MaxAttempts < 0 {
		k.problem(key+".max_attempts", "want 1 or more, or 0 for no limit")
	}
	k.positive(key+".max_age", r.MaxAge)
}

func (k checker) rate(key string, r Rate) {
	switch {
	case !k.given[key+".per_second"]:
		k.problem(key+".per_second", "give the attempts per second, or 0 for no limit; without rate, the plugin's own holds")
	case r.PerSecond < 0 || r.PerSecond > maxPerSecond:
		k.problem(key+".per_second", "want more than 0 and at most %d, such as 0.5 for one in two seconds, or 0 for no limit", maxPerSecond)
	}
	if r.Burst < 1 {
		k.problem(key+".burst", "want 1 or more")
	}
}

func (k checker) routes() {
	targets := slices.Sorted(maps.Keys(k.Targets))
	names := map[string]int{}
	for i, r := range k.Routes {
		key := fmt.Sprintf("routes[%d]", i)
		k.name(key+".name", r.Name)
		if first, ok := names[r.Name]; ok {
			k.problem(key+".name", "routes[%d] has this name too", first)
		} else {
			names[r.Name] = i
		}
		if len(r.To) == 0 {
			k.problem(key+".to", "name at least one target")
		}
		for j, target := range r.To {
			if _, ok := k.Targets[target]; ok {
				continue
			}
			there := "; there is none"
			if len(targets) > 0 {
				there = "; there are " + strings.Join(targets, ", ")
			}
			if suggestion := Suggest(target, targets); suggestion != "" {
				there = suggestion
			}
			k.problem(fmt.Sprintf("%s.to[%d]", key, j), "no target is called %q%s", target, there)
		}
		if r.Group != nil {
			k.group(key+".group", *r.Group)
		}
		if r.Digest != nil {
			k.digest(key+".digest", *r.Digest)
		}
		if r.Group != nil && r.Digest != nil {
			k.problem(key+".group", "digest gathers events too: remove one of them")
		}
	}
	if len(k.Sources) == 0 {
		k.warn("sources", "there is none: nothing can be received")
	}
	if len(k.Routes) == 0 {
		k.warn("routes", "there is none: events are stored and go nowhere")
	}
}
