// Package config reads Hookarr's configuration: a YAML file, then HOOKARR_*
// environment variables, then flags; each overrules those before it.
//
// # Secrets
//
// Every string in the file may hold ${NAME}, which stands for an environment
// variable; $${ is a literal ${. Every secret KEY has a twin KEY_file that names a
// file holding it: one trailing line break is dropped. The same goes for the
// settings of plugins, whatever the key: KEY_file, where KEY itself is not given, is
// read here and reaches the plugin as KEY, so that plugins need no access to files
// and have no settings of their own whose name ends in _file. A list of files gives
// a list of secrets.
//
// # Environment
//
// HOOKARR_DATABASE_URL sets database.url: a single underscore separates the words of
// a key. A double underscore stands on both sides of a source's or target's name,
// in which an underscore is a dash, and between the keys of a plugin's settings:
// HOOKARR_TARGETS__MY_OPS__RETRY_MAX_AGE sets targets.my-ops.retry.max_age and
// HOOKARR_TARGETS__MY_OPS__CONFIG__URL sets targets.my-ops.config.url. So it is with
// what is set for one plugin: HOOKARR_PLUGINS__TARGET_DISCORD__MEMORY. Lists are
// separated by commas. Routes and auth are lists of sections and can be set in the
// file alone.
//
// # Paths
//
// Relative paths in the file, and those that stand for what it does not give, are relative
// to the directory of the file: the database, the plugins and their lock, TLS files and
// every KEY_file. In environment variables and flags they are relative to the working
// directory. Other paths in a plugin's settings are the plugin's own affair.
package config

import (
	"net/netip"
	"regexp"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// NamePattern is what names of sources, targets, routes and plugins are made of.
var NamePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// queuePattern is what the queue demands of names besides: a source's and a target's
// are a part of the names of its queues.
var queuePattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Config is everything an operator can set. Load returns it complete: defaults
// filled in, ${ENV} and *_file resolved, every name and reference checked.
type Config struct {
	// File is where it was read from.
	File string `koanf:"-"`
	// Warnings are what is probably a mistake and keeps nothing from working.
	Warnings []Problem `koanf:"-"`
	// Files are what was read besides, such as that of a secret.
	Files []string `koanf:"-"`

	origin origin
	// hidden are the keys of plugin settings whose values came from the
	// environment or a file.
	hidden map[string]bool

	Listen string `koanf:"listen"`
	// ExternalURL is where the applications reach this server, without /hooks/NAME;
	// empty is the address of Listen.
	ExternalURL    string            `koanf:"external_url"`
	TLS            TLS               `koanf:"tls"`
	TrustedProxies []netip.Prefix    `koanf:"trusted_proxies"`
	Hosts          Hosts             `koanf:"hosts"`
	Admin          Admin             `koanf:"admin"`
	Database       Database          `koanf:"database"`
	Plugins        Plugins           `koanf:"plugins"`
	Log            Log               `koanf:"log"`
	Shutdown       Shutdown          `koanf:"shutdown"`
	Reload         Reload            `koanf:"reload"`
	Limits         Limits            `koanf:"limits"`
	Tracing        Tracing           `koanf:"tracing"`
	Retention      Retention         `koanf:"retention"`
	Sources        map[string]Source `koanf:"sources"`
	Targets        map[string]Target `koanf:"targets"`
	Routes         []Route           `koanf:"routes"`
}

// Hosts are public names of this server. Sources that ask for no credential take what is
// sent to these, to addresses, and to names that only a private network has.
type Hosts []string

// TLS makes the webhook listener speak HTTPS when both files are set, and with it what shares
// that listener.
type TLS struct {
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`
}

// Enabled reports whether TLS is configured.
func (t TLS) Enabled() bool { return t.CertFile != "" }

// Admin is what operators connect to: a unix socket, and a listener. Health and metrics are
// on the listener, or without one on that for webhooks.
type Admin struct {
	// Listen is the address of the listener. Written as the one for webhooks, both are one:
	// /hooks and what begins so is for webhooks, and TLS is for both.
	Listen string `koanf:"listen"`
	// Socket is the path of the unix socket; see [Config.AdminSocket] for the default.
	Socket string `koanf:"socket"`
	// Tokens, ForwardAuth and OIDC are who may come in on the listener. Without them a link
	// of hookarr open is the only way.
	Tokens      []AdminToken `koanf:"tokens"`
	ForwardAuth *ForwardAuth `koanf:"forward_auth"`
	OIDC        *OIDC        `koanf:"oidc"`
	// BasePath precedes every path of the listener, such as /hookarr.
	BasePath string `koanf:"base_path"`
	// ExternalURL is where people reach the listener, through a proxy.
	ExternalURL string `koanf:"external_url"`
	// Hosts are names that it is reached by besides, without ports.
	Hosts []string `koanf:"hosts"`
	// QueueUI shows River's own page of its jobs below /queue/.
	QueueUI bool `koanf:"queue_ui"`
}

// OIDC lets people in whom an OpenID Connect provider has signed in.
type OIDC struct {
	// Issuer is the URL of the provider, below which it describes itself.
	Issuer   string `koanf:"issuer"`
	ClientID string `koanf:"client_id"`
	// ClientSecret is empty for a public client.
	ClientSecret sdk.Secret `koanf:"client_secret"`
	Scopes       []string   `koanf:"scopes"`
	// UsernameClaim and GroupsClaim say where the provider tells the name and the groups.
	UsernameClaim string `koanf:"username_claim"`
	GroupsClaim   string `koanf:"groups_claim"`
	// Allow are those who may come in to view, and Operate those who may operate.
	Allow   People `koanf:"allow"`
	Operate People `koanf:"operate"`
}

// People are persons that a provider names. An e-mail address counts only if the provider
// has verified it.
type People struct {
	Subjects []string `koanf:"subjects"`
	Emails   []string `koanf:"emails"`
	Groups   []string `koanf:"groups"`
}

// Nobody reports whether it names nobody.
func (p People) Nobody() bool { return len(p.Subjects)+len(p.Emails)+len(p.Groups) == 0 }

// AdminToken lets a program or a person use the API.
type AdminToken struct {
	Name string `koanf:"name"`
	// Role is view or operate.
	Role  string     `koanf:"role"`
	Token sdk.Secret `koanf:"token"`
}

// ForwardAuth believes a proxy that has signed people in.
type ForwardAuth struct {
	// Header holds the name of the person.
	Header string `koanf:"header"`
	// Role is what each of them may do: view or operate.
	Role string `koanf:"role"`
	// GroupsHeader holds the person's groups; members of OperateGroups may operate.
	GroupsHeader  string   `koanf:"groups_header"`
	OperateGroups []string `koanf:"operate_groups"`
	// From are the proxies: only from them is the header believed.
	From []netip.Prefix `koanf:"from"`
}

// Database says where everything is kept: sqlite://PATH or postgres://….
type Database struct {
	URL sdk.Secret `koanf:"url"`
	// LowSpace is with how little free space, on the file system of SQLite's file, a warning
	// is told; 0 is never. Nil is 512 MiB, or a twentieth of a smaller file system.
	LowSpace *Size `koanf:"low_space"`
}

// Log says what is logged and how.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `koanf:"level"`
	// Format is text or json.
	Format string `koanf:"format"`
}

// Shutdown bounds the end.
type Shutdown struct {
	// Drain is how long deliveries under way may finish after SIGTERM.
	Drain time.Duration `koanf:"drain"`
}

// Reload says when the configuration is read again.
type Reload struct {
	// Watch reads it again when one of its files changes, and runs plugins whose binaries
	// change anew.
	Watch bool `koanf:"watch"`
}

// Tracing says where traces are sent. Without an endpoint, here or in
// OTEL_EXPORTER_OTLP_ENDPOINT, there are none.
type Tracing struct {
	// Endpoint is the base URL of an OTLP/HTTP receiver.
	Endpoint string `koanf:"endpoint"`
	// Sample is the part of the events that is traced, 0 to 1. Nil leaves it to
	// OTEL_TRACES_SAMPLER, which traces all where it is not set.
	Sample *float64 `koanf:"sample"`
	// Headers are sent with every request.
	Headers []HeaderAuth `koanf:"headers"`
}

// Limits bound what senders may take.
type Limits struct {
	// Bodies is the memory of all requests that are being worked on at once.
	Bodies Size `koanf:"bodies"`
}

// Retention says how long rows are kept.
type Retention struct {
	Events      time.Duration `koanf:"events"`
	DeadLetters time.Duration `koanf:"dead_letters"`
}

// Source is a configured inbound endpoint, /hooks/{name}.
type Source struct {
	Plugin    string         `koanf:"plugin"`
	Auth      []Auth         `koanf:"auth"`
	AllowFrom []netip.Prefix `koanf:"allow_from"`
	Catchup   Catchup        `koanf:"catchup"`
	Snapshot  Snapshot       `koanf:"snapshot"`
	Dedup     Dedup          `koanf:"dedup"`
	// TrustTraceparent has traces of its events continue those of its sender; else they are
	// linked to them.
	TrustTraceparent bool `koanf:"trust_traceparent"`
	// Enrich has events wait a moment for what the application says besides.
	Enrich bool `koanf:"enrich"`
	// Config is the plugin's own.
	Config map[string]any `koanf:"config"`
}

// Dedup says what is taken for a repetition.
type Dedup struct {
	// Window is how long an equal body, or an event with an equal fingerprint, is a
	// repetition. 0 is never; nil is as long as suits the type of the event.
	Window *time.Duration `koanf:"window"`
}

// Catchup says how the application's history is read for what was missed. It is for
// plugins that can, with a base_url and an api_key.
type Catchup struct {
	Enabled  bool          `koanf:"enabled"`
	Interval time.Duration `koanf:"interval"`
	// Lag leaves younger records to a later run: their webhooks may be on their way.
	Lag time.Duration `koanf:"lag"`
	// Overlap is read again each time, and how far clocks may be off.
	Overlap time.Duration `koanf:"overlap"`
	// MaxAge is how far back a run goes after an absence.
	MaxAge time.Duration `koanf:"max_age"`
	// Since is how far back the very first run goes.
	Since time.Duration `koanf:"since"`
}

// Snapshot says how often everything that the application has is read and compared with
// what it had. It is for plugins that can, with a base_url and an api_key.
type Snapshot struct {
	// Every is the time between two; 0 reads it only when an operator asks.
	Every time.Duration `koanf:"every"`
	// Lag is how long what was found waits for its webhooks, which may be on their way.
	Lag time.Duration `koanf:"lag"`
}

// Auth is one way in; exactly one field is set.
type Auth struct {
	HMAC   *HMAC       `koanf:"hmac"`
	Basic  *Basic      `koanf:"basic"`
	Header *HeaderAuth `koanf:"header"`
	Token  *Token      `koanf:"token"`
	None   *None       `koanf:"none"`
}

// HMAC lets in requests whose signature one of the secrets made. Preset, github or
// standard-webhooks, stands for all the fields below Tolerance.
type HMAC struct {
	Preset  string       `koanf:"preset"`
	Secrets []sdk.Secret `koanf:"secrets"`
	// Tolerance is how far a signed time may be off, either way.
	Tolerance time.Duration `koanf:"tolerance"`

	Header string `koanf:"header"`
	// Algorithm is sha256, sha512, or sha1, which must be asked for here.
	Algorithm string `koanf:"algorithm"`
	// Encoding is hex or base64.
	Encoding string `koanf:"encoding"`
	// Prefix precedes the encoded signature: "sha256=".
	Prefix string `koanf:"prefix"`
	// TimestampHeader holds a Unix time in seconds that is signed as
	// TIMESTAMP.BODY.
	TimestampHeader string `koanf:"timestamp_header"`
	// IDHeader holds an id of the request that makes a repetition a duplicate. It
	// is signed, as ID.TIMESTAMP.BODY, by the standard-webhooks preset only.
	IDHeader string `koanf:"id_header"`
}

// Basic lets in requests with this user and password.
type Basic struct {
	Username string     `koanf:"username"`
	Password sdk.Secret `koanf:"password"`
}

// HeaderAuth is a header with a secret: it lets in requests that have it, and receivers of
// traces may want one.
type HeaderAuth struct {
	Name  string     `koanf:"name"`
	Value sdk.Secret `koanf:"value"`
}

// Token lets in requests with this secret in the URL: in the query parameter
// Query, or as the path element after the source's name when Query is empty.
type Token struct {
	Query string     `koanf:"query"`
	Value sdk.Secret `koanf:"value"`
}

// None lets everybody in.
type None struct{}

// Target is a configured outbound endpoint.
type Target struct {
	Plugin string `koanf:"plugin"`
	// Timeout bounds one attempt.
	Timeout time.Duration `koanf:"timeout"`
	// Concurrency is how many attempts may be under way at once; 0 takes the
	// plugin's default, or 8.
	Concurrency int   `koanf:"concurrency"`
	Retry       Retry `koanf:"retry"`
	// Rate is nil for the plugin's default.
	Rate *Rate `koanf:"rate"`
	// Group is for routes that have none of their own; nil leaves it to the plugin, of which
	// most want one event a delivery. "off" is short for by: none.
	Group *Group `koanf:"group"`
	// Quiet is nil for a target that takes events at any time.
	Quiet *Quiet `koanf:"quiet"`
	// DigestAfter is how long a hold lasts after which what waited goes out as one digest; 0
	// is never.
	DigestAfter time.Duration `koanf:"digest_after"`
	// Edit has the plugin replace what it showed of a story, where it can, instead of showing
	// more.
	Edit bool `koanf:"edit"`
	// Config is the plugin's own.
	Config map[string]any `koanf:"config"`
}

// Retry says when a failed attempt is made again: after the pauses of Schedule, or
// exponentially.
type Retry struct {
	Initial     time.Duration `koanf:"initial"`
	Multiplier  float64       `koanf:"multiplier"`
	MaxInterval time.Duration `koanf:"max_interval"`
	// Schedule replaces the three above: the pause after each attempt; the last one
	// repeats.
	Schedule []time.Duration `koanf:"schedule"`
	// MaxAttempts is 0 for no limit.
	MaxAttempts int `koanf:"max_attempts"`
	// MaxAge counts from the delivery's creation; older ones become dead letters.
	MaxAge time.Duration `koanf:"max_age"`
}

// Rate bounds how often attempts are made.
type Rate struct {
	// PerSecond is 0 for no limit, whatever the plugin proposes.
	PerSecond float64 `koanf:"per_second"`
	// Burst is how many may go out at once after a pause.
	Burst int `koanf:"burst"`
}

// Route says which events go to which targets.
type Route struct {
	Name string `koanf:"name"`
	// From are globs over source names; empty is every source.
	From []string `koanf:"from"`
	// Types are globs over event types; "*" and empty are all but test and unknown.
	Types []string `koanf:"types"`
	// When is an expression over the event; empty is always true.
	When string   `koanf:"when"`
	To   []string `koanf:"to"`
	// Group overrules that of the targets. Group and Digest exclude each other.
	Group  *Group  `koanf:"group"`
	Digest *Digest `koanf:"digest"`
}
